"""Counting in files of this machine, from where each second is added to the database."""

import os
import tempfile
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from weakref import WeakSet

from django.core.checks import CheckMessage, Error

from directlinks.counting.background import Complaints
from directlinks.counting.folding import fold_batch, forget_batch
from directlinks.counting.outside import OutsideCounter
from directlinks.counting.segments import Segment, records_in, segments_in


class JournalCounter(OutsideCounter):
    """Every download that was granted is in a file in ``directory`` before its answer leaves.

    Each process appends to a segment of its own. About once a second it begins a new one, and adds
    the old one to the database; so it does with the segments of processes that are gone.
    """

    kind = "journal"
    faults = (OSError,)
    # Where the process dies between adding a segment and deleting it, the segment is met again
    # when somebody works on this machine again. Few batches are remembered for so long.
    remembered = timedelta(days=365)

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        super().__init__()
        self.directory = Path(directory)
        self._unreadable = Complaints()
        self.forget()
        _journals.add(self)

    def forget(self) -> None:
        """Know of no segment, as in a process that was forked: they are its parent's."""
        self._lock = threading.Lock()
        self._folds = threading.Lock()
        self._segment: Segment | None = None
        self._full: list[Segment] = []

    def note(self, link: int, seconds: int) -> None:
        with self._lock:
            segment = self._segment
            if segment is None:
                segment = self._segment = Segment.create(self.directory)
            try:
                segment.append(link, seconds)
            except OSError:
                # A part of the record may be there, after which nothing can be read.
                self._set_aside(segment)
                raise

    def fold_all(self) -> int:
        with self._folds:
            # First what could not be added the last time, so that there are never many of these.
            added = self._fold_full()
            with self._lock:
                if self._segment is not None and not self._segment.is_empty:
                    self._set_aside(self._segment)
            return added + self._fold_full() + self._fold_left_behind()

    def waiting(self) -> int:
        return sum(map(records_in, segments_in(self.directory)))

    def close(self) -> None:
        super().close()
        with self._folds, self._lock:
            if self._segment is not None:
                self._set_aside(self._segment)
            for segment in self._full:
                segment.close()
            self._full.clear()

    def check(self) -> Sequence[CheckMessage]:
        try:
            with tempfile.TemporaryFile(dir=self.directory):
                return []
        except OSError as error:
            fault = f"its directory cannot be written to: {error}"
            hint = "Make a folder for the site alone, on a disk of this machine."
            return [Error(f'DIRECTLINKS["COUNTER"]: {fault}', hint=hint, id="directlinks.E031")]

    def _set_aside(self, segment: Segment) -> None:
        self._full.append(segment)
        self._segment = None

    def _fold_full(self) -> int:
        added = 0
        while self._full:
            added += _fold(self._full[0])
            self._full.pop(0)
        return added

    def _fold_left_behind(self) -> int:
        """Add what those left who are gone; what others write to is theirs."""
        added = 0
        for path in segments_in(self.directory):
            try:
                added += _fold_file(path)
            except OSError as error:  # perhaps another user's: it must not keep us from the rest
                self._unreadable.say(f"The downloads in {path} wait", error)
        return added


def _fold_file(path: Path) -> int:
    segment = Segment.take(path)
    if segment is None:
        return 0
    try:
        return _fold(segment)
    except BaseException:
        segment.close()
        raise


def _fold(segment: Segment) -> int:
    name = f"{JournalCounter.kind}/{segment.name}"
    added = fold_batch(name, segment.tally())
    segment.remove()
    # Nobody else had the lock, so nobody has read the segment without adding it.
    forget_batch(name)
    return added


_journals: WeakSet[JournalCounter] = WeakSet()


def _after_fork() -> None:
    for journal in _journals:
        journal.forget()


os.register_at_fork(after_in_child=_after_fork)
