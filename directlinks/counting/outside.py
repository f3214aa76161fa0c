"""What the counters have in common that count outside the database, and add to it later."""

from abc import abstractmethod
from datetime import datetime, timedelta
from time import monotonic
from typing import ClassVar

from django.utils import timezone

from directlinks.counting.background import Repetition
from directlinks.counting.base import Counter
from directlinks.counting.database import DatabaseCounter
from directlinks.counting.folding import forget_batches
from directlinks.datetimes import seconds_of
from directlinks.outages import CircuitBreaker, RateLimitedLog

# How long to wait before a retry, which may take as long as a time-out.
REST_SECONDS = 1.0

# How often a process looks for batches that need not be remembered any more.
FORGETTING_SECONDS = 3600.0


class OutsideCounter(Counter):
    """A download is noted where that is cheap, and folded into the database a second later.

    Where it cannot be noted it is counted in the database at once, so nothing is lost.
    """

    collects_outside = True

    #: What the names of this counter's batches begin with.
    kind: ClassVar[str]

    #: How long a batch that was added is remembered after it was last met.
    remembered: ClassVar[timedelta]

    def __init__(self) -> None:
        self._database = DatabaseCounter()
        self._log = RateLimitedLog()
        self._breaker = CircuitBreaker(least=REST_SECONDS, most=REST_SECONDS)
        self._repetition = Repetition(
            self._fold_in_turn, f"Downloads wait in the counter {self.kind!r}"
        )
        self._forgets_at = 0.0

    def count(self, link: int, now: datetime) -> bool:
        """Says no only where it had to ask the database, and the link does not open any more."""
        self._repetition.start()
        if not self._breaker.allows():
            return self._database.count(link, now)
        try:
            self.note(link, int(seconds_of(now)))
        except self.faults as error:
            self._breaker.failed(0.0)
            self._log.write(f"The counter {self.kind!r} is left for the database", error)
            return self._database.count(link, now)
        self._breaker.succeeded()
        return True

    def fold(self) -> int:
        added = self.fold_all()
        # After folding, so that a batch which lay here for long is met before it is forgotten.
        if monotonic() >= self._forgets_at:
            forget_batches(self.kind, timezone.now() - self.remembered)
            self._forgets_at = monotonic() + FORGETTING_SECONDS
        return added

    def close(self) -> None:
        self._repetition.stop()

    @abstractmethod
    def note(self, link: int, seconds: int) -> None:
        """Keep one download of ``link`` at these unix seconds. Raises one of ``faults`` if it is
        certain, or possible, that it was not kept."""

    @abstractmethod
    def fold_all(self) -> int:
        """Do what ``fold`` promises."""

    def is_in_turn(self) -> bool:
        """Whether it is for this process to fold now."""
        return True

    def _fold_in_turn(self) -> None:
        if self.is_in_turn():
            self.fold()
