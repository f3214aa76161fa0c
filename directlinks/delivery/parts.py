"""A part of an object, and what its storage says of the whole, by one request.

Each of these asks a storage of django-storages in its provider's own words, without importing its
package, and gets the bytes as they are stored.
"""

import errno
import posixpath
import sys
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any, NamedTuple, Protocol

from directlinks.core import content_types


class Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none at the end."""

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


Reader = Callable[[Any, str, int, int], Part]

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
    key = storage._normalize_name(posixpath.normpath(name))
    parameters = {
        parameter: value
        for parameter, value in storage.get_object_parameters(key).items()
        if parameter in _S3_PARAMETERS
    }
    client = storage.connection.meta.client
    asked = _range(start, length)
    try:
        answer = client.get_object(Bucket=storage.bucket_name, Key=key, Range=asked, **parameters)
    except client.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != _NOT_SATISFIABLE:
            raise
        return Part(BytesIO(), storage.size(name))
    size = whole_size(answer.get("ContentRange"), answer["ContentLength"], start)
    return Part(answer["Body"], size, answer["LastModified"], answer.get("ContentEncoding"))


def azure_part(storage: Any, name: str, start: int, length: int) -> Part:
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
    client = storage.client
    blob = storage.bucket.blob(storage._normalize_name(posixpath.normpath(name)))
    # What was compressed before it was stored is not to be expanded by the server.
    headers = {"Range": _range(start, length), "Accept-Encoding": "gzip"}
    answer = client._http.request(
        "GET", blob._get_download_url(client), headers=headers, stream=True, timeout=_GOOGLE_SECONDS
    )
    if answer.status_code == _NOT_SATISFIABLE:
        answer.close()
        return Part(BytesIO(), storage.size(name))
    if not answer.ok:
        raise sys.modules["google.cloud.exceptions"].from_http_response(answer)
    told = answer.headers
    size = whole_size(told.get("Content-Range"), int(told.get("Content-Length", 0)), start)
    stored_at = parsedate_to_datetime(told["Last-Modified"]) if "Last-Modified" in told else None
    encoding = told.get("X-Goog-Stored-Content-Encoding") or told.get("Content-Encoding")
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
