"""Counting in files of this machine, from where each second is added to the database.

A journal is a folder of segments: one record after another, written by one process that holds a
lock. The lock is the kernel's (``flock``), so it ends with its process, however that ends. The
holder of the lock is alone with the segment, and may add its downloads to the database.

A segment is written in memory that is mapped to its file: to the kernel that is the file, which
stays when the process is killed, but it takes no system call for each download.
"""

import atexit
import errno
import fcntl
import os
import secrets
import tempfile
import threading
from collections import Counter as Multiset
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from io import BufferedReader
from mmap import mmap
from pathlib import Path
from struct import Struct
from weakref import WeakSet

from django.core.checks import CheckMessage, Error
from django.db import DatabaseError

from directlinks.contrib.counters.deferred import (
    DeferredCounter,
    Totals,
    flush_batch,
    forget_batch,
)

# A link's primary key, then unix seconds. Both are in this machine's byte order, since no other one
# reads them, so that each is one store of the processor. A process that is killed between the two
# leaves seconds of 0, as in room that was never written: that is no record.
RECORD = Struct("qq")

# In records: a mebibyte, which lasts for seconds however many visitors a process has.
ROOM = 64 * 1024

SUFFIX = ".counts"

_BLOCK = 1024 * RECORD.size
_NEVER_WRITTEN = bytes(_BLOCK)

# After a loss of power a file may hold anything; no time beyond this can be read as one.
_END_OF_TIME = 1 << 37


class Segment:
    """A segment whose lock this process holds."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        _held.add(self)

    @classmethod
    def take(cls, path: Path) -> "Segment | None":
        """Return the segment at ``path`` if its writer is gone and no other process takes it."""
        with suppress(FileNotFoundError):
            if (descriptor := _locked(path, os.O_RDWR)) is not None:
                return cls(path, descriptor)
        return None

    @property
    def name(self) -> str:
        """Return a name that no other segment has or had, on any machine."""
        return self.path.stem

    @property
    def can_be_found(self) -> bool:
        """Return True if its path still leads to it.

        It does not if the file or its folder was removed, renamed or replaced.
        """
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except OSError:
            return False

    def totals(self) -> Totals:
        """Return the downloads in it."""
        with open(self.descriptor, "rb", closefd=False) as file:
            file.seek(0)
            return _totals(file)

    def remove(self) -> None:
        """Delete the file, of which the downloads were added, and let go of it in any case."""
        try:
            # Emptied first: that works in a folder in which nothing may be deleted any more, and
            # in one that was renamed.
            os.ftruncate(self.descriptor, 0)
            self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        """Release the lock: the next process that finds the segment may have it."""
        _held.discard(self)
        os.close(self.descriptor)


class NewSegment(Segment):
    """A segment that this process made, and in which it notes downloads."""

    def __init__(self, path: Path, descriptor: int, memory: mmap) -> None:
        super().__init__(path, descriptor)
        self._memory = memory
        self._size = len(memory)
        self._end = 0

    @classmethod
    def create(cls, directory: Path) -> "NewSegment":
        """Return a segment with room for ``ROOM`` downloads. Raise OSError."""
        path, descriptor = _new_file(directory)
        try:
            # All of the room: if the disk turns out to be full under memory that is mapped,
            # the kernel has no other way to say so than to end the process.
            _allocate(descriptor, ROOM * RECORD.size)
            memory = mmap(descriptor, ROOM * RECORD.size)
        except OSError:
            Segment(path, descriptor).remove()
            raise
        return cls(path, descriptor, memory)

    def append(self, link_id: int, seconds: int) -> bool:
        """Note one download, and return True if there is room for another one."""
        RECORD.pack_into(self._memory, self._end, link_id, seconds)
        self._end += RECORD.size
        return self._end < self._size

    def close(self) -> None:
        """Close the mapping, then the file."""
        # Memory that is mapped keeps the file open, and so the lock held.
        self._memory.close()
        super().close()


def segments_in(directory: Path) -> list[Path]:
    """Return all segments in ``directory``, locked or not. Raise OSError."""
    # Path.glob would find nothing where nothing can be read, and not say so.
    return sorted(path for path in directory.iterdir() if path.suffix == SUFFIX)


def records_in(path: Path) -> int:
    """Return how many downloads are noted in the segment at ``path``. Raise OSError."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        return _totals(file).downloads
    return 0


def _totals(file: BufferedReader) -> Totals:
    records: Multiset[tuple[int, int]] = Multiset()
    while block := file.read(_BLOCK):
        # Most of a segment is room, and most of the rest the same links and seconds again and
        # again: so they are counted without a step of Python for each record.
        if block != _NEVER_WRITTEN:
            records.update(RECORD.iter_unpack(block[: len(block) // RECORD.size * RECORD.size]))
    totals = Totals()
    for (link_id, seconds), times in records.items():
        if link_id > 0 and 0 < seconds < _END_OF_TIME:
            totals.add(link_id, seconds, times)
    return totals


def _new_file(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / f"{secrets.token_hex(16)}{SUFFIX}"
        # None if another process found the file before it was locked, and removed it.
        if (descriptor := _locked(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)) is not None:
            return path, descriptor


def _locked(path: Path, flags: int) -> int | None:
    """Return a locked descriptor of the file at ``path``, or None if it is locked or gone."""
    descriptor = os.open(path, flags, 0o600)
    with ExitStack() as undo:
        undo.callback(os.close, descriptor)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have had the lock before, and removed the file.
            if os.fstat(descriptor).st_nlink:
                undo.pop_all()
                return descriptor
    return None


def _allocate(descriptor: int, size: int) -> None:
    """Have the disk set ``size`` bytes of zeros aside for a file. Raise OSError."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    elif os.pwrite(descriptor, bytes(size), 0) != size:  # macOS has no word for it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class JournalCounter(DeferredCounter):
    """Every download that was granted is in a file in ``directory`` before its answer leaves.

    Each process writes to a segment of its own. About once a second, and when it is full, it begins
    a new one, and adds the old one to the database; so it does with the segments of processes that
    are gone. A segment that is gone from ``directory`` is added by the process that has it open.
    """

    kind = "journal"
    errors = (OSError,)
    # If the process dies between adding a segment and deleting it, the segment is met again
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

    def note(self, link_id: int, seconds: int) -> None:
        with self._lock:
            segment = self._segment
            if segment is None:
                segment = self._segment = NewSegment.create(self.directory)
            if not segment.append(link_id, seconds):
                # It is full, and left to the next flush: a database that is away for hours must not
                # leave this process with hundreds of open files.
                self._segment = None
                self._let_go(segment)

    def flush_all(self) -> int:
        # First what could not be added the last time, so that there are never many of these.
        return self._flush_orphans() + self._flush_left_behind() + self._flush_own()

    def pending(self) -> int:
        return sum(map(records_in, segments_in(self.directory)))

    def close(self) -> None:
        super().close()
        try:
            self._flush_orphans()
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

    def _flush_own(self) -> int:
        segment = self._put_down()
        return 0 if segment is None else self._flush(segment)

    def _flush_orphans(self) -> int:
        """Add what is in files that are gone from the directory."""
        with self._lock:
            if self._segment is not None and not self._segment.can_be_found:
                self._let_go(self._segment)
                self._segment = None
        added = 0
        while (orphan := self._next_orphan()) is not None:
            added += self._flush(orphan)
        return added

    def _next_orphan(self) -> Segment | None:
        with self._lock:
            return self._orphans.pop() if self._orphans else None

    def _let_go(self, segment: Segment) -> None:
        """Leave ``segment`` to the process that flushes next, if that can find it."""
        if segment.can_be_found:
            segment.close()
            return
        self._orphans.append(segment)
        gone = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(segment.path))
        self._log.write("A file of the counter 'journal' was removed in use", gone, kind="gone")

    def _flush(self, segment: Segment) -> int:
        """Add what is in ``segment`` and remove it, or let go of it."""
        name = f"{self.kind}/{segment.name}"
        try:
            added = flush_batch(name, segment.totals())
        except BaseException:
            self._let_go(segment)
            raise
        segment.remove()
        # No other process had the lock, so none has read the segment without adding it.
        forget_batch(name)
        return added

    def _flush_left_behind(self) -> int:
        """Add the segments that no process writes to; the others are added by their writers."""
        added = 0
        for path in segments_in(self.directory):
            try:
                segment = Segment.take(path)
                added += 0 if segment is None else self._flush(segment)
            except OSError as error:  # perhaps another user's: it must not keep us from the rest
                self._log.write(f"The downloads in {path} wait", error, kind="unreadable")
        return added


# A lock is held as long as any process has the file open, so a fork must not keep those of its
# parent: no process could take over its segments when it died. Nor may it write into them.
_held: WeakSet[Segment] = WeakSet()


_journals: WeakSet[JournalCounter] = WeakSet()


def _after_fork() -> None:
    for segment in list(_held):
        segment.close()
    for journal in _journals:
        journal.forget()


def _at_exit() -> None:
    for journal in _journals:
        journal.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
