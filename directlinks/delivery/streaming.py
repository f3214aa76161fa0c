"""Part of a file, a block at a time, so that no answer holds a file in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator

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
        block = self._source.read(min(BLOCK_BYTES, self._left))
        if not block:
            raise StopIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._source.close()


class BlockResponse(StreamingHttpResponse):
    """An answer made of ``blocks``, for the kind of server that asked."""

    def __init__(self, request: HttpRequest, blocks: Blocks, *, status: int) -> None:
        in_loop = isinstance(request, ASGIRequest)
        super().__init__(AsyncBlocks(blocks) if in_loop else blocks, status=status)
        self._blocks = blocks

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
