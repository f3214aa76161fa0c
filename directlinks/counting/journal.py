"""Counting in files of this machine, from where each second is added to the database."""

import atexit
import errno
import os
import tempfile
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from weakref import WeakSet

from django.core.checks import CheckMessage, Error
from django.db import DatabaseError

from directlinks.counting.folding import fold_batch, forget_batch
from directlinks.counting.outside import OutsideCounter
from directlinks.counting.segments import NewSegment, Segment, records_in, segments_in


class JournalCounter(OutsideCounter):
    """Every download that was granted is in a file in ``directory`` before its answer leaves.

    Each process writes to a segment of its own. About once a second, and when it is full, it begins
    a new one, and adds the old one to the database; so it does with the segments of processes that
    are gone. A segment that is gone from ``directory`` is added by the process that has it open.
    """

    kind = "journal"
    faults = (OSError,)
    # Where the process dies between adding a segment and deleting it, the segment is met again
    # when this machine is used again. Few batches are remembered for so long.
    remembered = timedelta(days=365)

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.forget()
        _journals.add(self)

    def forget(self) -> None:
        """Know of no segment, as in a process that was forked: they are its parent's."""
        self._lock = threading.Lock()
        self._segment: NewSegment | None = None
        # Those that only this process can add, because no other one can find them.
        self._orphans: list[Segment] = []

    def note(self, link: int, seconds: int) -> None:
        with self._lock:
            segment = self._segment
            if segment is None:
                segment = self._segment = NewSegment.create(self.directory)
            if not segment.append(link, seconds):
                # It is full, and left to the next fold: a database that is away for hours must not
                # leave this process with hundreds of open files.
                self._segment = None
                self._let_go(segment)

    def fold_all(self) -> int:
        # First what could not be added the last time, so that there are never many of these.
        return self._fold_orphans() + self._fold_left_behind() + self._fold_own()

    def waiting(self) -> int:
        return sum(map(records_in, segments_in(self.directory)))

    def close(self) -> None:
        super().close()
        try:
            self._fold_orphans()
        except (DatabaseError, OSError) as error:
            self._log.write("Downloads in files that were removed are lost", error, kind="lost")
        if (segment := self._put_down()) is not None:
            segment.close()

    def check(self) -> Sequence[CheckMessage]:
        try:
            with tempfile.TemporaryFile(dir=self.directory):
                fault = None
        except (OSError, ValueError) as error:
            fault = f"its directory cannot be written to: {error}"
        if not self.directory.is_absolute():
            fault = "its directory must not depend on where the site was started."
        hint = "Make a folder for the site alone, on a disk of this machine, and name it from / on."
        message = Error(f'DIRECTLINKS["COUNTER"]: {fault}', hint=hint, id="directlinks.E031")
        return [] if fault is None else [message]

    def _put_down(self) -> NewSegment | None:
        """Return the segment of this process, which is not written to from now on."""
        with self._lock:
            segment, self._segment = self._segment, None
        return segment

    def _fold_own(self) -> int:
        segment = self._put_down()
        return 0 if segment is None else self._fold(segment)

    def _fold_orphans(self) -> int:
        """Add what is in files that are gone from the directory."""
        with self._lock:
            if self._segment is not None and not self._segment.can_be_found:
                self._let_go(self._segment)
                self._segment = None
        added = 0
        while (orphan := self._next_orphan()) is not None:
            added += self._fold(orphan)
        return added

    def _next_orphan(self) -> Segment | None:
        with self._lock:
            return self._orphans.pop() if self._orphans else None

    def _let_go(self, segment: Segment) -> None:
        """Leave ``segment`` to the process that folds next, if that can find it."""
        if segment.can_be_found:
            segment.close()
            return
        self._orphans.append(segment)
        gone = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(segment.path))
        self._log.write("A file of the counter 'journal' was removed in use", gone, kind="gone")

    def _fold(self, segment: Segment) -> int:
        """Add what is in ``segment`` and remove it, or let go of it."""
        name = f"{self.kind}/{segment.name}"
        try:
            added = fold_batch(name, segment.tally())
        except BaseException:
            self._let_go(segment)
            raise
        segment.remove()
        # No other process had the lock, so none has read the segment without adding it.
        forget_batch(name)
        return added

    def _fold_left_behind(self) -> int:
        """Add the segments that no process writes to; the others are added by their writers."""
        added = 0
        for path in segments_in(self.directory):
            try:
                segment = Segment.take(path)
                added += 0 if segment is None else self._fold(segment)
            except OSError as error:  # perhaps another user's: it must not keep us from the rest
                self._log.write(f"The downloads in {path} wait", error, kind="unreadable")
        return added


_journals: WeakSet[JournalCounter] = WeakSet()


def _after_fork() -> None:
    for journal in _journals:
        journal.forget()


def _at_exit() -> None:
    for journal in _journals:
        journal.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
