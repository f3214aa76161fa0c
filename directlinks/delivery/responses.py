"""Responses to visitors: headers alone, a redirect, and contents block by block."""

import asyncio
import errno
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from io import FileIO
from typing import Any, NamedTuple

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from directlinks.conf import conf
from directlinks.core.visits import Selection
from directlinks.delivery.download import Download
from directlinks.delivery.headers import PRIVATE
from directlinks.delivery.reading import BLOCK_BYTES, Readable
from directlinks.storage_errors import storage_error

logger = logging.getLogger("directlinks")

FileWrapper = Callable[..., Iterable[bytes]]

# The modules of the servers' wsgi.file_wrapper (PEP 3333) that are exact and worth it: gunicorn
# sends from the kernel, waitress frees the thread. Both stop at Content-Length, which PEP 3333 does
# not demand: uWSGI sends all that the file has by then, from byte 0 at any position.
_EXACT_WRAPPERS = frozenset({"gunicorn.http.wsgi", "waitress.buffers"})


class Blocks(Iterator[bytes]):
    """The next ``length`` bytes of ``source``.

    No generator: one that is never started would not close the file.
    """

    def __init__(self, source: Readable, length: int) -> None:
        self._source = source
        self._left = length

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        try:
            block = self._source.read(min(BLOCK_BYTES, self._left))
        except Exception as error:
            if (meaning := storage_error(error)) is None:
                raise
            raise cut_short(meaning.cause) from error
        if not block:
            raise cut_short()
        self._left -= len(block)
        return block

    def whole_file(self) -> "WholeFile | None":
        """Return the same for a ``wsgi.file_wrapper``: all of a local file, not yet read, or None.

        The caller knows that nothing of the file is left out.
        """
        if isinstance(self._source, FileIO) and self._left:
            return WholeFile(self._source, self._left)
        return None

    def sent_by(self, environ: Mapping[str, Any]) -> Iterable[bytes]:
        """Return what a WSGI server sends of a whole content, in the server's own way if exact."""
        file_wrapper = exact_wrapper(environ)
        file = None if file_wrapper is None else self.whole_file()
        if file_wrapper is None or file is None:
            return self
        return file_wrapper(file, BLOCK_BYTES)

    def close(self) -> None:
        self._source.close()


class WholeFile:
    """A file of which a server's ``wsgi.file_wrapper`` sends the ``length`` bytes that it had.

    If it has become longer, the rest is not read. If it has become shorter, reading or closing it
    raises, so that the server closes the connection: else a client would take the next answer for
    the rest of this one.
    """

    def __init__(self, file: FileIO, length: int) -> None:
        self._file = file
        self._length = length
        # The farthest position that the server moved to, as socket.sendfile() does at its end; None
        # until it begins.
        self._reached: int | None = None

    def fileno(self) -> int:
        self._reached = self._reached or 0
        return self._file.fileno()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        position = self._file.seek(offset, whence)
        if whence == os.SEEK_END and position - offset < self._length:
            raise cut_short()
        self._reached = max(self._reached or 0, position)
        return position

    def read(self, size: int = -1) -> bytes:
        position = self._file.tell()
        left = max(self._length - position, 0)
        block = self._file.read(left if size < 0 else min(size, left))
        if left and size and not block:
            raise cut_short()
        self._reached = max(self._reached or 0, position + len(block))
        return block

    def close(self) -> None:
        self._file.close()
        self.check()

    def check(self) -> None:
        """Raise if the server believes that it has sent all, and has not."""
        if self._reached is None or self._reached >= self._length:
            return
        if sys.exc_info()[0] is None:  # the connection is in order
            raise cut_short()


def exact_wrapper(environ: Mapping[str, Any]) -> FileWrapper | None:
    """Return the server's ``wsgi.file_wrapper`` if it sends exactly what it should."""
    file_wrapper: FileWrapper | None = environ.get("wsgi.file_wrapper")
    return file_wrapper if getattr(file_wrapper, "__module__", None) in _EXACT_WRAPPERS else None


def cut_short(why: str = "") -> OSError:
    """Return the error for a content that ended early: servers close the connection for it.

    uWSGI would keep it, and answer the next request there.
    """
    ended = "A content ended before its announced length; the connection is closed."
    logger.warning("%s", f"{ended} {why}".rstrip())
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is not None:
        with socket.socket(fileno=os.dup(uwsgi.connection_fd())) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    return BrokenPipeError(errno.EPIPE, "The content ended before its announced length")


class BlockResponse(StreamingHttpResponse):
    """The bytes of ``selection``, which ``source`` begins with, for the kind of server that asked.

    Compression would change the bytes that a range is cut from, and the strong ETag with them.
    Middleware that compresses, Django's own too, leaves answers alone that have a Content-Encoding,
    and has_header() says that these have. There is no such header: "identity" is not to be sent
    (RFC 9110, section 8.4.1).
    """

    # What Django gives to the server's file_wrapper, and how much at once if that reads blocks.
    file_to_stream: WholeFile | None = None
    block_size = BLOCK_BYTES

    def __init__(self, request: HttpRequest, source: Readable, selection: Selection) -> None:
        in_loop = isinstance(request, ASGIRequest)
        blocks = Blocks(source, selection.length)
        super().__init__(AsyncBlocks(blocks) if in_loop else blocks, status=selection.status)
        self._blocks = blocks
        if selection.status == 200 and exact_wrapper(request.META):
            self.file_to_stream = blocks.whole_file()

    def has_header(self, header: str) -> bool:
        return header.lower() == "content-encoding" or super().has_header(header)

    __contains__ = has_header

    def _set_streaming_content(self, value: Any) -> None:
        # A middleware that puts other content here means that to be sent.
        self.file_to_stream = None
        super()._set_streaming_content(value)  # type: ignore[misc]  # not in the stubs

    def close(self) -> None:
        super().close()
        # Django puts this method in the place of the file's own.
        if self.file_to_stream is not None:
            self.file_to_stream.check()

    def discard(self) -> None:
        """Close the file of an answer that is not sent.

        close() would do so too, and tell Django that the request is over.
        """
        self._blocks.close()


class AsyncBlocks(AsyncIterator[bytes]):
    """The same for an event loop: given a plain iterator, Django would read the whole file first.

    Blocks are read in a thread, so that a slow disk does not hold up other requests.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks

    async def __anext__(self) -> bytes:
        block = await asyncio.to_thread(next, self._blocks, None)
        if block is None:
            raise StopAsyncIteration
        return block

    def close(self) -> None:
        self._blocks.close()


class PlainResponse(NamedTuple):
    """What can be sent as it is: values are Latin-1 text. Most answers have no body."""

    status_code: int
    headers: dict[str, str]
    body: Blocks | None = None

    def response(self) -> HttpResponse:
        """Return an HttpResponse without a body."""
        response = HttpResponse(status=self.status_code, headers=self.headers)
        if "Content-Type" not in self.headers:
            del response.headers["Content-Type"]  # of no body
        return response


def build_redirect(
    location: str, download: Download, *, expires_in: float | None, now: datetime
) -> PlainResponse:
    """Return a redirect to ``location``, good for ``expires_in`` seconds, or for ever if None."""
    headers = {
        "Location": location,
        # A bare 302 without a length costs dearly on some servers.
        "Content-Length": "0",
        "Cache-Control": _cache_control(download, expires_in, now),
        **PRIVATE,
    }
    return PlainResponse(302, headers)


def _cache_control(download: Download, expires_in: float | None, now: datetime) -> str:
    """Return Cache-Control, never beyond the life of the target, the link or the site's limit.

    A process that caches the answer sends it unchanged for up to CACHE_SECONDS. A link that is
    limited or guarded is not cached at all: every visit must be checked.
    """
    if download.head_only or not download.is_public or not conf.REDIRECT_MAX_AGE:
        return "private, no-store"
    lives: list[float] = [conf.REDIRECT_MAX_AGE]
    if expires_in is not None:
        lives.append(expires_in - conf.answer_cache_seconds)
    if download.until is not None:
        lives.append((download.until - now).total_seconds())
    seconds = int(min(lives))
    return f"public, max-age={seconds}" if seconds > 0 else "private, no-store"
