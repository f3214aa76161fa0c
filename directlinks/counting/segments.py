"""Files of noted downloads: one record after another, written by one process that holds a lock.

The lock is the kernel's (``flock``), so it ends with its process, however that ends. The
holder of the lock is alone with the segment, and may add its downloads to the database.

A segment is written in memory that is mapped to its file: to the kernel that is the file, which
stays when the process is killed, but it takes no system call for each download.
"""

import errno
import fcntl
import os
import secrets
from collections import Counter
from contextlib import ExitStack, suppress
from io import BufferedReader
from mmap import mmap
from pathlib import Path
from struct import Struct
from weakref import WeakSet

from directlinks.counting.tally import Tally

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

    def tally(self) -> Tally:
        """The downloads in it."""
        with open(self.descriptor, "rb", closefd=False) as file:
            file.seek(0)
            return _tally(file)

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
        """One with room for ``ROOM`` downloads. Raises OSError where there can be none."""
        path, descriptor = _new_file(directory)
        try:
            # All of the room, for where the disk turns out to be full under memory that is mapped,
            # the kernel has no other way to say so than to end the process.
            _allocate(descriptor, ROOM * RECORD.size)
            memory = mmap(descriptor, ROOM * RECORD.size)
        except OSError:
            Segment(path, descriptor).remove()
            raise
        return cls(path, descriptor, memory)

    def append(self, link: int, seconds: int) -> bool:
        """Note one download, and say whether there is room for another one."""
        RECORD.pack_into(self._memory, self._end, link, seconds)
        self._end += RECORD.size
        return self._end < self._size

    def close(self) -> None:
        # Memory that is mapped keeps the file open, and so the lock held.
        self._memory.close()
        super().close()


def segments_in(directory: Path) -> list[Path]:
    """Return all segments in ``directory``, locked or not. Raise OSError."""
    # Path.glob would find nothing where nothing can be read, and not say so.
    return sorted(path for path in directory.iterdir() if path.suffix == SUFFIX)


def records_in(path: Path) -> int:
    """How many downloads are noted in the segment at ``path``. Raises OSError."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        return _tally(file).total
    return 0


def _tally(file: BufferedReader) -> Tally:
    records: Counter[tuple[int, int]] = Counter()
    while block := file.read(_BLOCK):
        # Most of a segment is room, and most of the rest the same links and seconds again and
        # again: so they are counted without a step of Python for each record.
        if block != _NEVER_WRITTEN:
            records.update(RECORD.iter_unpack(block[: len(block) // RECORD.size * RECORD.size]))
    tally = Tally()
    for (link, seconds), times in records.items():
        if link > 0 and 0 < seconds < _END_OF_TIME:
            tally.add(link, seconds, times)
    return tally


def _new_file(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / f"{secrets.token_hex(16)}{SUFFIX}"
        # None if another process found the file before it was locked, and removed it.
        if (descriptor := _locked(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)) is not None:
            return path, descriptor


def _locked(path: Path, flags: int) -> int | None:
    """A descriptor of the file at ``path``, with its lock; None if that or the file is gone."""
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
    """Have the disk set ``size`` bytes of zeros aside for a file. Raises OSError."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    elif os.pwrite(descriptor, bytes(size), 0) != size:  # macOS has no word for it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# A lock is held as long as any process has the file open, so a fork must not keep those of its
# parent: no process could take over its segments when it died. Nor may it write into them.
_held: WeakSet[Segment] = WeakSet()


def _after_fork() -> None:
    for segment in list(_held):
        segment.close()


os.register_at_fork(after_in_child=_after_fork)
