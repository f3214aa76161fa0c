"""Reading part of a content from its storage.

A storage that opens files like a disk needs nothing here. One that fetches a whole object before
the first byte can be read, as that of S3 does, would fill the memory: for such a one a reader is
registered that asks for the part alone.
"""

import errno
import os
import posixpath
import stat
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, Storage

from directlinks.core import content_types
from directlinks.datetimes import as_stored
from directlinks.delivery.time_limits import within_limits
from directlinks.storage import (
    StorageRegistry,
    is_forbidden,
    is_inside,
    is_plain_folder,
    local_path,
)
from directlinks.storage_errors import storage_errors


class Readable(Protocol):
    """A stream of bytes that can be closed."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""

    def close(self) -> None: ...


class Part(NamedTuple):
    """What one answer of a storage holds, to be read and closed.

    ``size`` is that of the whole object, ``stored_at`` when it was stored, an aware datetime, or
    None if the storage does not tell, and ``content_encoding`` the encoding that it is stored with.
    """

    source: Readable
    size: int
    stored_at: datetime | None = None
    content_encoding: str | None = None

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
    given: str | None = getattr(part, "content_encoding", None)
    if not given or content_types.implies_encoding(name):
        return None
    named = [encoding.strip() for encoding in given.split(",")]
    return ", ".join(one for one in named if one and one.lower() not in _NO_ENCODING) or None


# Of a download from S3: who asks, and the key of an object that its owner has encrypted.
_S3_PARAMETERS = frozenset(
    {
        "ExpectedBucketOwner",
        "RequestPayer",
        "SSECustomerAlgorithm",
        "SSECustomerKey",
        "SSECustomerKeyMD5",
    }
)
_NOT_SATISFIABLE = 416


def s3_part(storage: Any, name: str, start: int, length: int) -> Part:
    """Read a part of an object in S3."""
    key = storage._normalize_name(posixpath.normpath(name))
    parameters = {
        parameter: value
        for parameter, value in storage.get_object_parameters(key).items()
        if parameter in _S3_PARAMETERS
    }
    client = storage.connection.meta.client
    byte_range = _range(start, length)
    try:
        answer = client.get_object(
            Bucket=storage.bucket_name, Key=key, Range=byte_range, **parameters
        )
    except client.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != _NOT_SATISFIABLE:
            raise
        return Part(BytesIO(), storage.size(name))
    size = whole_size(answer.get("ContentRange"), answer["ContentLength"], start)
    return Part(answer["Body"], size, answer["LastModified"], answer.get("ContentEncoding"))


def azure_part(storage: Any, name: str, start: int, length: int) -> Part:
    """Read a part of a blob in Azure."""
    blob = storage.client.get_blob_client(storage._get_valid_path(name))
    blocks = _AzureBlocks(blob, start, length, timeout=storage.timeout)
    try:
        properties = blocks.begin()
    except Exception as error:
        if getattr(error, "status_code", None) != _NOT_SATISFIABLE:
            raise
        return Part(BytesIO(), storage.size(name))
    size = whole_size(properties.content_range, properties.size, start)
    encoding = properties.content_settings.content_encoding
    return Part(blocks, size, properties.last_modified, encoding)


class _AzureBlocks:
    """The bytes of a blob in blocks: its package holds the answer to each request in memory."""

    block_bytes = 4 * 1024 * 1024

    def __init__(self, blob: Any, start: int, length: int, *, timeout: int) -> None:
        self._blob = blob
        self._start = start
        self._left = length
        self._timeout = timeout
        self._etag: str | None = None
        self._block = BytesIO()

    def begin(self) -> Any:
        """Ask for the first block, and return the properties of the blob."""
        length = min(self._left, self.block_bytes)
        answer = self._blob.download_blob(
            offset=self._start, length=length, timeout=self._timeout, decompress=False
        )
        etag = answer.properties.etag
        if self._etag not in (None, etag):
            raise OSError(errno.ESTALE, "The object was replaced while it was read")
        self._etag = etag
        self._block = BytesIO(answer.readall())
        self._start += length
        self._left -= length
        return answer.properties

    def read(self, size: int, /) -> bytes:
        block = self._block.read(size)
        if not block and self._left:
            self.begin()
            block = self._block.read(size)
        return block

    def close(self) -> None:
        self._left = 0
        self._block.close()


def google_part(storage: Any, name: str, start: int, length: int) -> Part:
    """Read a part of an object in Google Cloud Storage."""
    client = storage.client
    blob = storage.bucket.blob(storage._normalize_name(posixpath.normpath(name)))
    answer = client._http.request(
        "GET",
        blob._get_download_url(client),
        # What was compressed before it was stored is not to be expanded by the server.
        headers={"Range": _range(start, length), "Accept-Encoding": "gzip"},
        stream=True,
        timeout=_GOOGLE_SECONDS,
    )
    if answer.status_code == _NOT_SATISFIABLE:
        answer.close()
        return Part(BytesIO(), storage.size(name))
    if not answer.ok:
        raise sys.modules["google.cloud.exceptions"].from_http_response(answer)
    headers = answer.headers
    size = whole_size(headers.get("Content-Range"), int(headers.get("Content-Length", 0)), start)
    stored_at = (
        parsedate_to_datetime(headers["Last-Modified"]) if "Last-Modified" in headers else None
    )
    encoding = headers.get("X-Goog-Stored-Content-Encoding") or headers.get("Content-Encoding")
    return Part(answer.raw, size, stored_at, encoding)


# To connect, and between two bytes, unless visitors wait for it.
_GOOGLE_SECONDS = 60


def whole_size(content_range: str | None, length: int, start: int) -> int:
    """Return the size of an object of which ``length`` bytes from ``start`` on were sent.

    Raise OSError if the storage has sent the object from its first byte instead.
    """
    if content_range is not None:
        return int(content_range.rpartition("/")[2])
    if start:
        raise OSError(errno.ENOTSUP, "The storage sends no part of an object")
    return length


def _range(start: int, length: int) -> str:
    return f"bytes={start}-{start + length - 1}"


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
    is one at least, and raises FileNotFoundError if there is no such content. If it
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
