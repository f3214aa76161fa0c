"""Part of a content, from wherever it is stored.

A storage that opens files like a disk needs nothing here. One that fetches a whole object before
the first byte can be read, as that of S3 does, would fill the memory: for such a one a reader is
registered that asks for the part alone.
"""

import errno
import os
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, Storage

from directlinks.datetimes import as_stored
from directlinks.delivery.parts import Readable, azure_part, google_part, s3_part
from directlinks.delivery.registry import StorageRegistry
from directlinks.delivery.time_limits import within_limits
from directlinks.storage import is_forbidden, is_inside, is_plain_folder, local_path
from directlinks.storage_errors import storage_errors

BLOCK_BYTES = 512 * 1024

# The clock of another machine may be ahead of ours, and a row is saved around its content.
SETTLED_AFTER = timedelta(minutes=1)


Reader = Callable[[Any, str, int, int], Readable]


class _Way(NamedTuple):
    """A reader, and whether the parts that it returns are a ``Part``."""

    reader: Reader
    tells_size: bool


_ways: StorageRegistry[_Way] = StorageRegistry()


def register(storage_class: str, reader: Reader, *, tells_size: bool = False) -> None:
    """Let ``reader`` open contents of the storage class at this dotted path.

    It is called with the storage, a content's name, the first byte and the number of bytes, which
    is one at least, and raises FileNotFoundError where there is no such content. If it
    ``tells_size``, it returns a ``Part``, and the storage is asked for nothing else.
    """
    _ways.register(storage_class, _Way(reader, tells_size))


class Known(NamedTuple):
    """What the row of a file says of its content, ``modified_at`` as the models store it."""

    size: int
    modified_at: datetime


class ContentChanged(Exception):
    """The content is another than is known. ``stored_at`` is None if the storage did not tell."""

    def __init__(self, size: int, stored_at: datetime | None) -> None:
        super().__init__(size, stored_at)
        self.size = size
        self.stored_at = stored_at


class OpenContent(NamedTuple):
    """A content, with what its storage says of it at this moment.

    ``modified_ns`` is when a file of this machine was last written, None for other contents.
    ``part(start, length)`` returns ``length`` bytes, or more, from ``start`` on. Take one part, or
    ``close`` this. ``check`` asks the storage if no part is to be taken.
    """

    size: int
    modified_ns: int | None
    part: Callable[[int, int], Readable]
    close: Callable[[], None]
    check: Callable[[], None]


def open_content(storage: Storage, name: str, known: Known | None = None) -> OpenContent:
    """Open the content ``name``.

    Raise ContentNotFound if there is none that can be read, or StorageError if the storage does not
    give it. Taking a part may raise them too. If a storage can say what it has by the answer with a
    part, what is ``known`` is believed until then: taking a part, or ``check``, raises
    ContentChanged if it is not so.
    """
    way = _ways.of(storage)
    if way is None and is_plain_folder(storage):
        with storage_errors():
            file, status = open_local_file(storage, name)
        part = partial(_from, file)
        return OpenContent(status.st_size, status.st_mtime_ns, part, file.close, _do_nothing)
    with storage_errors():
        storage = within_limits(storage)
    if known is not None and way is not None and way.tells_size:
        content = _KnownContent(storage, name, known, way.reader)
        return OpenContent(known.size, None, content.part, _do_nothing, content.check)
    opener = _opened if way is None else way.reader

    def open_part(start: int, length: int) -> Readable:
        if not length:
            return BytesIO()
        with storage_errors():
            return _Begun(opener(storage, name, start, length), min(length, BLOCK_BYTES))

    with storage_errors():
        # Looked at before the content is opened: bytes that are newer than their validators say
        # are sent again to clients that ask later, older ones would be kept.
        modified_ns = _modified_ns(storage, name)
        if is_forbidden(storage, name):
            raise _outside(name)
        size = storage.size(name)
    return OpenContent(size, modified_ns, open_part, _do_nothing, _do_nothing)


class _KnownContent:
    """A content that is asked for once: the answer with a part tells if what is known is true."""

    def __init__(self, storage: Storage, name: str, known: Known, reader: Reader) -> None:
        self._storage = storage
        self._name = name
        self._known = known
        self._reader = reader

    def part(self, start: int, length: int) -> Readable:
        if not length:
            self.check()
            return BytesIO()
        with storage_errors():
            part: Any = self._reader(self._storage, self._name, start, length)
            if not self._is_as_known(part.size, part.stored_at):
                part.close()
                raise ContentChanged(part.size, part.stored_at)
            return _Begun(part, min(length, BLOCK_BYTES))

    def check(self) -> None:
        """Raise what taking a part would raise."""
        if self._known.size:
            self.part(0, 1).close()
            return
        # No range of an empty object can be asked for.
        with storage_errors():
            size = self._storage.size(self._name)
        if size:
            raise ContentChanged(size, None)

    def _is_as_known(self, size: int, stored_at: datetime | None) -> bool:
        known = self._known
        is_newer = (
            stored_at is not None and as_stored(stored_at) > known.modified_at + SETTLED_AFTER
        )
        return size == known.size and not is_newer


def open_local_file(storage: FileSystemStorage, name: str) -> tuple[FileIO, os.stat_result]:
    """Open the file that a plain folder has under ``name``, as ``open_regular`` does.

    Raise SuspiciousFileOperation if ``name``, or a symbolic link, leads out of ``storage``.
    """
    path = local_path(storage, name)
    file, status = open_regular(path)
    if not is_inside(storage, file.fileno(), path):
        file.close()
        raise _outside(path)
    return file, status


def open_regular(path: str) -> tuple[FileIO, os.stat_result]:
    """Open the regular file at ``path``, and return what the kernel says of it.

    This does not wait: a named pipe would block until a program writes to it. Raise OSError if it
    cannot be opened or is no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except ValueError as error:  # a name that the file system cannot spell
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _irregular(path)
    return FileIO(descriptor), status


class _Begun:
    """``source``, of which the first block was read.

    Many storages ask for nothing before that, and what they raise then can still be told.
    """

    def __init__(self, source: Readable, size: int) -> None:
        self._source = source
        self.content_encoding = getattr(source, "content_encoding", None)
        try:
            self._first = source.read(size)
        except BaseException:
            source.close()
            raise

    def read(self, size: int, /) -> bytes:
        if not self._first:
            return self._source.read(size)
        block, self._first = self._first[:size], self._first[size:]
        return block

    def close(self) -> None:
        self._source.close()


def _irregular(path: str) -> OSError:
    return OSError(errno.ENXIO, "Not a regular file", path)


def _outside(path: str) -> SuspiciousFileOperation:
    return SuspiciousFileOperation(f"Not a file in the folder of the storage: {path}")


def _from(file: FileIO, start: int, length: int) -> FileIO:
    if start:
        file.seek(start)
    return file


def _do_nothing() -> None:
    """Close nothing: the part is opened when it is taken."""


def _modified_ns(storage: Storage, name: str) -> int | None:
    """Return when the file behind ``name`` was last written, if it is one of this machine.

    Raise OSError if opening it could wait.
    """
    try:
        path = storage.path(name)
        status = Path(path).stat()
    except (NotImplementedError, OSError, ValueError):  # for the storage to tell
        return None
    if not stat.S_ISREG(status.st_mode):
        raise _irregular(path)
    return status.st_mtime_ns


def _opened(storage: Storage, name: str, start: int, length: int) -> Readable:
    source = storage.open(name, "rb")
    if start:
        source.seek(start)
    return source


register("storages.backends.s3.S3Storage", s3_part, tells_size=True)
register("storages.backends.azure_storage.AzureStorage", azure_part, tells_size=True)
register("storages.backends.gcloud.GoogleCloudStorage", google_part, tells_size=True)
