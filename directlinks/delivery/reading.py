"""Part of a content, from wherever it is stored.

A storage that opens files like a disk needs nothing here. One that fetches a whole object before
the first byte can be read, as that of S3 does, would fill the memory: for such a one a reader is
registered that asks for the part alone.
"""

import errno
import os
import stat
from collections.abc import Callable
from functools import partial
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, Storage

from directlinks.core import content_types
from directlinks.delivery.registry import StorageRegistry
from directlinks.delivery.time_limits import within_limits
from directlinks.storage import is_forbidden, is_inside, is_plain_folder, local_path
from directlinks.storage_errors import storage_errors

BLOCK_BYTES = 512 * 1024


class Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none at the end."""

    def close(self) -> None: ...


Reader = Callable[[Any, str, int, int], Readable]

_readers: StorageRegistry[Reader] = StorageRegistry()


def register(storage_class: str, reader: Reader) -> None:
    """Let ``reader`` open contents of the storage class at this dotted path.

    It is called with the storage, a content's name, the first byte and the number of bytes, which
    is one at least, and raises FileNotFoundError where there is no such content.
    """
    _readers.register(storage_class, reader)


class OpenContent(NamedTuple):
    """A content, with what its storage says of it at this moment.

    ``modified_ns`` is when a file of this machine was last written, None for other contents.
    ``part(start, length)`` returns ``length`` bytes, or more, from ``start`` on. Take one part, or
    ``close`` this.
    """

    size: int
    modified_ns: int | None
    part: Callable[[int, int], Readable]
    close: Callable[[], None]


def open_content(storage: Storage, name: str) -> OpenContent:
    """Open the content ``name``.

    Raise ContentNotFound if there is none that can be read, or StorageError if the storage does not
    give it. Taking a part may raise them too.
    """
    reader = _readers.of(storage)
    if reader is None and is_plain_folder(storage):
        with storage_errors():
            file, status = open_local_file(storage, name)
        return OpenContent(status.st_size, status.st_mtime_ns, partial(_from, file), file.close)
    opener = reader or _opened

    def open_part(start: int, length: int) -> Readable:
        if not length:
            return BytesIO()
        with storage_errors():
            return _Begun(opener(storage, name, start, length), min(length, BLOCK_BYTES))

    with storage_errors():
        storage = within_limits(storage)
        # Looked at before the content is opened: bytes that are newer than their validators say
        # are sent again to clients that ask later, older ones would be kept.
        modified_ns = _modified_ns(storage, name)
        if is_forbidden(storage, name):
            raise _outside(name)
        return OpenContent(storage.size(name), modified_ns, open_part, _nothing_open)


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


def _nothing_open() -> None:
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


class EncodedPart(NamedTuple):
    """A part of a content as it is stored, and the encoding that the storage has for it, if any."""

    source: Readable
    content_encoding: str | None

    def read(self, size: int, /) -> bytes:
        return self.source.read(size)

    def close(self) -> None:
        self.source.close()


# What says nothing about the bytes: the second is how some clients of S3 send theirs.
_NO_ENCODING = ("identity", "aws-chunked")


def stored_encoding(part: Readable, name: str) -> str | None:
    """Return the encoding that ``part`` of the content ``name`` is stored with, or None.

    A name that implies an encoding is that of a compressed file, which is to arrive as it is.
    """
    if content_types.implies_encoding(name):
        return None
    given = getattr(part, "content_encoding", None) or ""
    named = [encoding.strip() for encoding in given.split(",")]
    return ", ".join(one for one in named if one and one.lower() not in _NO_ENCODING) or None


def _s3(storage: Any, name: str, start: int, length: int) -> Readable:
    with storage.open(name, "rb") as file:
        answer = file.obj.get(Range=f"bytes={start}-{start + length - 1}")
    return EncodedPart(answer["Body"], answer.get("ContentEncoding"))


def _azure(storage: Any, name: str, start: int, length: int) -> Readable:
    blob = storage.client.get_blob_client(storage._get_valid_path(name))
    # The library would decompress, and say that nothing was compressed.
    part = blob.download_blob(start, length, decompress=False, timeout=storage.timeout)
    return EncodedPart(_Downloading(part), part.properties.content_settings.content_encoding)


class _Downloading:
    """What a library downloads bit by bit, as Readable."""

    def __init__(self, download: Any) -> None:
        self._download = download

    def read(self, size: int, /) -> bytes:
        block: bytes = self._download.read(size)
        return block

    def close(self) -> None:
        """Close nothing: each block was a request of its own."""


def _google(storage: Any, name: str, start: int, length: int) -> Readable:
    blob = storage.bucket.blob(storage._normalize_name(name))
    if length > _GOOGLE_BLOCK:
        blob.reload()  # so that all blocks are of one version
    blocks = _GoogleBlocks(blob, start, length)
    return EncodedPart(blocks, blob.content_encoding)


_GOOGLE_BLOCK = 4 * 1024 * 1024


class _GoogleBlocks:
    """A part of an object of Google's, a request for each block. The first is made at once."""

    def __init__(self, blob: Any, start: int, length: int) -> None:
        self._blob = blob
        self._next = start
        self._end = start + length
        self._block = self._fetched()

    def read(self, size: int, /) -> bytes:
        data = self._block.read(size)
        if data or self._next >= self._end:
            return data
        self._block = self._fetched()
        return self._block.read(size)

    def _fetched(self) -> BytesIO:
        last = min(self._next + _GOOGLE_BLOCK, self._end) - 1
        # Raw, because the library would decompress. There is no checksum of a part.
        block: bytes = self._blob.download_as_bytes(
            start=self._next, end=last, raw_download=True, checksum=None
        )
        self._next = last + 1
        return BytesIO(block)

    def close(self) -> None:
        self._block.close()


register("storages.backends.s3.S3Storage", _s3)
register("storages.backends.azure_storage.AzureStorage", _azure)
register("storages.backends.gcloud.GoogleCloudStorage", _google)
