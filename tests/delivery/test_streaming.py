"""Part of a file, a block at a time."""

from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncRequestFactory, RequestFactory

from directlinks.delivery.streaming import AsyncBlocks, BlockResponse, Blocks

DATA = b"0123456789"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("directlinks.delivery.streaming.BLOCK_BYTES", 4)


@pytest.mark.parametrize(
    ("start", "length", "blocks"),
    [
        (0, 10, [b"0123", b"4567", b"89"]),
        (0, 4, [b"0123"]),
        (2, 5, [b"2345", b"6"]),
        (9, 1, [b"9"]),
        (0, 0, []),
        (10, 0, []),
        # A file that became shorter since its size was asked for.
        (8, 10, [b"89"]),
    ],
)
def test_it_leaves_in_blocks(start: int, length: int, blocks: list[bytes]) -> None:
    assert list(Blocks(BytesIO(DATA[start:]), length)) == blocks

    async def received() -> list[bytes]:
        return [block async for block in AsyncBlocks(Blocks(BytesIO(DATA[start:]), length))]

    assert async_to_sync(received)() == blocks


def test_closing_closes_the_file() -> None:
    first, second = BytesIO(DATA), BytesIO(DATA)
    Blocks(first, 10).close()
    AsyncBlocks(Blocks(second, 10)).close()
    assert first.closed
    assert second.closed


@pytest.mark.parametrize(
    ("factory", "in_loop"), [(RequestFactory(), False), (AsyncRequestFactory(), True)]
)
class TestResponse:
    def test_it_is_made_for_the_server_that_asked(self, factory: Any, in_loop: bool) -> None:
        blocks = Blocks(BytesIO(DATA), 10)
        response = BlockResponse(factory.get("/"), blocks, status=206)
        assert (response.status_code, response.is_async) == (206, in_loop)

    def test_discarding_closes_the_file_and_does_not_end_the_request(
        self, factory: Any, in_loop: bool
    ) -> None:
        source = BytesIO(DATA)
        response = BlockResponse(factory.get("/"), Blocks(source, 10), status=200)
        response.discard()
        assert (source.closed, response.closed) == (True, False)
