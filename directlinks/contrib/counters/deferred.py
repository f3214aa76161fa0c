"""Base of counters that count outside the database and add to it a second later.

The downloads of a second are a batch, which is added to the database exactly once. Each part of it
is added in one transaction that also stores its name. A process that finds the same batch, at the
same time or after another one died half-way, sees that it is done.
"""

import os
import threading
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from time import monotonic
from typing import ClassVar, NamedTuple, TypeVar
from weakref import WeakSet

from django.db import IntegrityError, close_old_connections, connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from directlinks.counters.base import Counter
from directlinks.counters.database import DatabaseCounter
from directlinks.datetimes import day_of, from_timestamp, seconds_of
from directlinks.models import DailyDownloads, DirectLink, FlushedBatch
from directlinks.outages import CircuitBreaker, RateLimitedLog

Value = TypeVar("Value", bound=Hashable)

FLUSH_SECONDS = 1.0

# How long to wait before a retry, which may take as long as a time-out.
REST_SECONDS = 1.0

# How often a process looks for batches that need not be remembered any more.
FORGETTING_SECONDS = 3600.0

# Few enough that a visit waits only milliseconds for one of these links or for SQLite's one lock,
# and that old versions of SQLite, which take 999 parameters, can be asked for all of them; enough
# that a process under full load adds a few parts each second, each of which waits for the disk.
LINKS_AT_ONCE = 900


class DeferredCounter(Counter):
    """A download is noted where that is cheap, and added to the database a second later.

    If it cannot be noted, it is counted in the database at once, so nothing is lost.
    """

    is_deferred = True

    #: What the names of this counter's batches begin with.
    kind: ClassVar[str]

    #: How long a batch that was added is remembered after it was last met.
    remembered: ClassVar[timedelta]

    def __init__(self) -> None:
        self._database = DatabaseCounter()
        self._log = RateLimitedLog()
        self._breaker = CircuitBreaker(least=REST_SECONDS, most=REST_SECONDS)
        self._thread = FlushThread(
            self._flush_in_turn, f"Downloads wait in the counter {self.kind!r}"
        )
        self._forgets_at = 0.0

    def count(self, link_id: int, now: datetime) -> bool:
        """Return False only if the database was asked, and the link does not open any more."""
        self._thread.start()
        if not self._breaker.allows():
            return self._database.count(link_id, now)
        try:
            self.note(link_id, int(seconds_of(now)))
        except self.errors as error:
            self._breaker.failed(0.0)
            self._log.write(f"The counter {self.kind!r} is left for the database", error)
            return self._database.count(link_id, now)
        self._breaker.succeeded()
        return True

    def flush(self) -> int:
        added = self.flush_all()
        # After flushing, so that a batch which lay here for long is met before it is forgotten.
        if monotonic() >= self._forgets_at:
            forget_batches(self.kind, timezone.now() - self.remembered)
            self._forgets_at = monotonic() + FORGETTING_SECONDS
        return added

    def close(self) -> None:
        self._thread.stop()

    @abstractmethod
    def note(self, link_id: int, seconds: int) -> None:
        """Keep one download of the link at these Unix seconds.

        Raise one of ``errors`` if it was not kept, or may not have been.
        """

    @abstractmethod
    def flush_all(self) -> int:
        """Do what ``flush`` promises."""

    def is_in_turn(self) -> bool:
        """Return True if it is for this process to flush now."""
        return True

    def _flush_in_turn(self) -> None:
        if self.is_in_turn():
            self.flush()


class LinkTotals(NamedTuple):
    """Downloads of one link: when it was opened last, and how often on each day."""

    link_id: int
    last: datetime
    days: Mapping[date, int]

    @property
    def downloads(self) -> int:
        return sum(self.days.values())


class Totals:
    """How often each link was opened on each day, and when last, in Unix seconds."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self._days: dict[int, dict[date, int]] = {}
        # Most downloads of a batch are of the same few seconds.
        self._moments: dict[int, tuple[datetime, date]] = {}

    def add(self, link_id: int, seconds: int, downloads: int = 1) -> None:
        """Add ``downloads`` of the link at ``seconds``."""
        if seconds not in self._moments:
            moment = from_timestamp(seconds)
            self._moments[seconds] = moment, day_of(moment)
        day = self._moments[seconds][1]
        days = self._days.setdefault(link_id, {})
        days[day] = days.get(day, 0) + downloads
        self._last[link_id] = max(seconds, self._last.get(link_id, seconds))

    @property
    def downloads(self) -> int:
        """The number of all downloads."""
        return sum(sum(days.values()) for days in self._days.values())

    def by_link(self) -> list[LinkTotals]:
        """Return the totals of each link, in the order of their keys."""
        return [
            LinkTotals(link_id, self._moments[self._last[link_id]][0], self._days[link_id])
            for link_id in sorted(self._last)
        ]


def flush_batch(name: str, totals: Totals) -> int:
    """Add ``totals``, which is all of the batch ``name``, and return the number of downloads.

    This may be interrupted and called again, by several processes at once, with the same name and
    totals: all of them together add each download once. Links that were deleted are left out.
    """
    # The same downloads give the same parts, in the order in which all writers lock links.
    links = totals.by_link()
    parts = [links[start : start + LINKS_AT_ONCE] for start in range(0, len(links), LINKS_AT_ONCE)]
    return sum(_flush_part(f"{name}/{number}", part) for number, part in enumerate(parts))


def forget_batch(name: str) -> None:
    """Forget that the batch ``name`` was added, because it is deleted and cannot be met again."""
    FlushedBatch.objects.filter(name__startswith=f"{name}/").delete()


def forget_batches(kind: str, before: datetime) -> None:
    """Forget the batches whose names begin with ``kind`` and that were last met ``before``."""
    FlushedBatch.objects.last_met_before(before).filter(name__startswith=f"{kind}/").delete()


def _flush_part(name: str, part: Sequence[LinkTotals]) -> int:
    # Durable: the caller deletes the batch now, and no rollback would bring it back.
    with transaction.atomic(using=DirectLink.objects.db, durable=True):
        # Written first, so that SQLite gives this transaction its one lock at once or not at all.
        if not _is_new(name):
            return 0
        there = add_totals(part)
    return sum(one.downloads for one in part if one.link_id in there)


def _is_new(name: str) -> bool:
    now = timezone.now()
    try:
        with FlushedBatch.objects.atomic():
            FlushedBatch.objects.create(name=name, flushed_at=now)
    except IntegrityError:
        # The process that added it could not remove it, so the name must be kept for longer.
        FlushedBatch.objects.filter(name=name).update(flushed_at=now)
        return False
    return True


def add_totals(totals: Sequence[LinkTotals]) -> set[int]:
    """Add up to LINKS_AT_ONCE ``totals``, and return the keys of those links that exist.

    This is for a transaction: the rows of the links are locked in the order of their keys, and
    those of their days after them, as each visit does, so deadlocks cannot occur. Links with the
    same numbers, which most are in one second, share a statement.
    """
    rows = DirectLink.objects.filter(pk__in=[one.link_id for one in totals]).order_by("pk")
    there = set(rows.select_for_update().values_list("pk", flat=True))
    found = [one for one in totals if one.link_id in there]
    for last, link_ids in _alike((one.last, one.link_id) for one in found).items():
        links = DirectLink.objects.filter(pk__in=link_ids)
        earlier = Q(last_opened_at__isnull=True) | Q(last_opened_at__lt=last)
        links.filter(earlier).update(last_opened_at=last)
    for downloads, link_ids in _alike((one.downloads, one.link_id) for one in found).items():
        links = DirectLink.objects.filter(pk__in=link_ids)
        links.update(downloads=F("downloads") + downloads)
    _add_days(found)
    return there


def _add_days(totals: Sequence[LinkTotals]) -> None:
    new = []
    for day in sorted({day for one in totals for day in one.days}):
        downloads_of = {one.link_id: one.days[day] for one in totals if day in one.days}
        rows = DailyDownloads.objects.filter(day=day, link__in=downloads_of)
        known = set(rows.values_list("link", flat=True))
        alike = _alike((downloads_of[link_id], link_id) for link_id in known)
        for downloads, link_ids in alike.items():
            rows = DailyDownloads.objects.filter(day=day, link__in=link_ids)
            rows.update(downloads=F("downloads") + downloads)
        new += [
            DailyDownloads(link_id=link_id, day=day, downloads=downloads)
            for link_id, downloads in downloads_of.items()
            if link_id not in known
        ]
    # No other transaction can insert a day of a link that is locked here.
    DailyDownloads.objects.bulk_create(new)


def _alike(links: Iterable[tuple[Value, int]]) -> dict[Value, list[int]]:
    """Return the keys of ``links`` with the same value, by that value."""
    alike: dict[Value, list[int]] = defaultdict(list)
    for value, link_id in links:
        alike[value].append(link_id)
    return alike


class FlushThread:
    """Calls ``act`` about once a second, in a daemon thread of each process that starts it.

    What ``act`` raises is logged as ``message``, and it is called again a second later.
    """

    def __init__(self, act: Callable[[], object], message: str) -> None:
        self._act = act
        self._message = message
        self._log = RateLimitedLog()
        self.forget()
        _threads.add(self)

    def forget(self) -> None:
        """Know of no thread, as in a process that was forked: threads stay behind."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._end = threading.Event()

    def start(self) -> None:
        """Start, unless that is done already. It costs next to nothing then."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="directlinks", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no more threads: the next visit tries again
                    self._log.write(self._message, error)
                else:
                    self._thread = thread

    def stop(self) -> None:
        """End once the current call has returned."""
        with self._lock:
            if self._thread is not None:
                self._end.set()
                self._thread.join()
                self._thread = None
                self._end.clear()

    def _run(self) -> None:
        while not self._end.wait(FLUSH_SECONDS):
            try:
                self._act()
            except Exception as error:  # noqa: BLE001  # nothing may end the thread
                self._log.write(self._message, error)
            finally:
                # As after a request: they stay open only if the site wants that.
                close_old_connections()
        connections.close_all()


_threads: WeakSet[FlushThread] = WeakSet()


def _after_fork() -> None:
    for thread in _threads:
        thread.forget()


os.register_at_fork(after_in_child=_after_fork)
