"""Files of noted downloads: one record after another, written by one process that holds a lock.

The lock is the kernel's (``flock``), so it ends with its process, however that ends. Whoever gets
the lock of a segment is alone with it, and may add its downloads to the database.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from struct import Struct
from weakref import WeakSet

from directlinks.counting.tally import Tally

# A link's primary key and unix seconds, in the byte order of most machines.
RECORD = Struct("<qq")

SUFFIX = ".counts"

_BLOCK = RECORD.size * 4096

# After a loss of power a file may hold anything; no time beyond this can be read as one.
_END_OF_TIME = 1 << 37


class Segment:
    """A segment whose lock this process holds."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        _held.add(self)

    @classmethod
    def create(cls, directory: Path) -> "Segment":
        """A new one. Raises OSError where there can be none."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
        while True:
            path = directory / f"{secrets.token_hex(16)}{SUFFIX}"
            # None where somebody found the file before it was locked, and cleared it away.
            if (segment := cls._locked(path, flags)) is not None:
                return segment

    @classmethod
    def take(cls, path: Path) -> "Segment | None":
        """The segment at ``path``, if whoever wrote it is gone and nobody else takes it."""
        try:
            return cls._locked(path, os.O_RDWR)
        except FileNotFoundError:
            return None

    @classmethod
    def _locked(cls, path: Path, flags: int) -> "Segment | None":
        descriptor = os.open(path, flags, 0o600)
        with ExitStack() as undo:
            undo.callback(os.close, descriptor)
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Somebody may have had the lock before, and removed the file.
                if os.fstat(descriptor).st_nlink:
                    undo.pop_all()
                    return cls(path, descriptor)
        return None

    @property
    def name(self) -> str:
        """A name that no other segment has or had, on whatever machine."""
        return self.path.stem

    @property
    def is_empty(self) -> bool:
        return os.fstat(self.descriptor).st_size == 0

    def append(self, link: int, seconds: int) -> None:
        """Write one record. Raises OSError where not all of it was: then it is not read, either,
        as long as nothing is appended after it."""
        if os.write(self.descriptor, RECORD.pack(link, seconds)) != RECORD.size:
            raise OSError(f"{self.path}: the disk is full.")

    def tally(self) -> Tally:
        """The downloads in it. What is not a whole record at its end was never counted here."""
        tally = Tally()
        for link, seconds in self._records():
            if 0 < seconds < _END_OF_TIME:
                tally.add(link, seconds)
        return tally

    def _records(self) -> Iterator[tuple[int, int]]:
        with open(self.descriptor, "rb", closefd=False) as file:
            file.seek(0)
            while block := file.read(_BLOCK):
                yield from RECORD.iter_unpack(block[: len(block) // RECORD.size * RECORD.size])

    def remove(self) -> None:
        """Delete the file, of which the downloads were added, and let go of it."""
        # Emptied first, for that works in a folder that lets nobody delete any more.
        os.ftruncate(self.descriptor, 0)
        self.path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of it: whoever finds it next may have it."""
        _held.discard(self)
        os.close(self.descriptor)


def segments_in(directory: Path) -> list[Path]:
    """All segments in ``directory``, whoever has them. Raises OSError."""
    # Path.glob would find nothing where nothing can be read, and not say so.
    return sorted(path for path in directory.iterdir() if path.suffix == SUFFIX)


def records_in(path: Path) -> int:
    """How many downloads are noted in the segment at ``path``."""
    with suppress(FileNotFoundError):
        return path.stat().st_size // RECORD.size
    return 0


# A lock is held as long as any process has the file open, so a fork must not keep those of its
# parent: nobody would find the segments of that when it died.
_held: WeakSet[Segment] = WeakSet()


def _after_fork() -> None:
    for segment in list(_held):
        segment.close()


os.register_at_fork(after_in_child=_after_fork)
