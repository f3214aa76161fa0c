"""What a counter is: one place in which the downloads of links without a limit are counted."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from django.core.checks import CheckMessage


class Counter(ABC):
    """A subclass is named in ``DIRECTLINKS["COUNTER"]``; its OPTIONS arrive as keywords.

    A link with a limit of downloads never comes here: the statement that grants a download of it
    counts it in the database.
    """

    #: Whether counting needs the database, and so can be part of the statement that finds a link.
    in_database: ClassVar[bool] = False

    #: Whether downloads wait outside of the database until ``fold`` adds them.
    collects_outside: ClassVar[bool] = False

    #: What counting and folding raise where the place outside the database cannot be reached.
    faults: ClassVar[tuple[type[Exception], ...]] = ()

    @abstractmethod
    def count(self, link: int, now: datetime) -> bool:
        """Count one download of ``link`` at ``now``, before its answer leaves.

        Returns whether the link may be opened, as far as this counter knows.
        """

    def fold(self) -> int:
        """Add to the database what was collected outside; returns how many downloads that were.

        It may be interrupted anywhere and run by several processes at once: each download is added
        exactly once. Raises one of ``faults``.
        """
        return 0

    def waiting(self) -> int:
        """How many downloads are yet to be added to the database. Raises one of ``faults``."""
        return 0

    def close(self) -> None:  # noqa: B027  # most hold nothing
        """Let go of threads and files. What waits outside is left for the next fold."""

    def check(self) -> Sequence[CheckMessage]:
        """What is wrong with the options, for the system checks: with the id directlinks.E031."""
        return []
