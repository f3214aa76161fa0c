"""Part of a file, a block at a time, so that no answer holds a file in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from directlinks.delivery.reading import Readable

BLOCK_BYTES = 512 * 1024


class Blocks(Iterator[bytes]):
    """The next ``length`` bytes of ``source``.

    No generator: one that nobody began to read would not close the file.
    """

    def __init__(self, source: Readable, length: int) -> None:
        self._source = source
        self._left = length

    def __next__(self) -> bytes:
        block = self._source.read(min(BLOCK_BYTES, self._left)) if self._left else b""
        if not block:
            raise StopIteration
        self._left -= len(block)
        return block

    def sent_by(self, file_wrapper: Callable[..., Iterable[bytes]] | None) -> Iterable[bytes]:
        """The same for a WSGI server, which may have a way of its own to send a file (PEP 3333).

        Nothing was read yet, and the source ends with the last of these bytes.
        """
        if file_wrapper is None or not _has_descriptor(self._source):
            return self
        return file_wrapper(self._source, BLOCK_BYTES)

    def close(self) -> None:
        self._source.close()


class Sendable:
    """A file of this machine that a WSGI server may send from the kernel (PEP 3333, file_wrapper).

    Django puts its own ``close`` in the place of this one, so the file's stays what it is.
    """

    def __init__(self, source: Any) -> None:
        self.read = source.read
        self.fileno = source.fileno

    def close(self) -> None:
        """Nothing: the response closes the file."""


class BlockResponse(StreamingHttpResponse):
    """An answer made of the next ``length`` bytes of ``source``, for the kind of server that asked.

    ``to_end`` says that ``source`` has no more bytes than these.
    """

    # What Django gives to the server's file_wrapper, and how much at once where that reads blocks.
    file_to_stream: Sendable | None = None
    block_size = BLOCK_BYTES

    def __init__(
        self, request: HttpRequest, source: Readable, length: int, *, to_end: bool, status: int
    ) -> None:
        in_loop = isinstance(request, ASGIRequest)
        blocks = Blocks(source, length)
        super().__init__(AsyncBlocks(blocks) if in_loop else blocks, status=status)
        self._blocks = blocks
        if to_end and not in_loop and _has_descriptor(source):
            self.file_to_stream = Sendable(source)

    def _set_streaming_content(self, value: Any) -> None:
        # Whoever puts other content here, a middleware that compresses, means that to be sent.
        self.file_to_stream = None
        super()._set_streaming_content(value)  # type: ignore[misc]  # not in the stubs

    def discard(self) -> None:
        """Close the file of an answer that is not sent.

        close() would do so too, and tell Django that the request is over.
        """
        self._blocks.close()


class AsyncBlocks(AsyncIterator[bytes]):
    """The same for an event loop: given a plain iterator, Django would read the whole file first.

    Blocks are read in a thread, so that a slow disk holds up nobody else.
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


def _has_descriptor(source: Any) -> bool:
    """Whether ``source`` is an open file of the operating system."""
    try:
        source.fileno()
    except (AttributeError, OSError):
        return False
    return True
