"""Part of a file, a block at a time."""

from io import BytesIO
from pathlib import Path
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
        response = BlockResponse(factory.get("/"), BytesIO(DATA), 10, to_end=True, status=206)
        assert (response.status_code, response.is_async) == (206, in_loop)

    def test_discarding_closes_the_file_and_does_not_end_the_request(
        self, factory: Any, in_loop: bool
    ) -> None:
        source = BytesIO(DATA)
        response = BlockResponse(factory.get("/"), source, 10, to_end=True, status=200)
        response.discard()
        assert (source.closed, response.closed) == (True, False)

    @pytest.mark.parametrize("to_end", [True, False])
    def test_a_server_may_send_the_rest_of_a_real_file_itself(
        self, factory: Any, in_loop: bool, to_end: bool, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(DATA)
        with (tmp_path / "file").open("rb") as source:
            response = BlockResponse(factory.get("/"), source, 10, to_end=to_end, status=200)
            assert (response.file_to_stream is not None) == (to_end and not in_loop)

    def test_memory_is_no_real_file(self, factory: Any, in_loop: bool) -> None:
        response = BlockResponse(factory.get("/"), BytesIO(DATA), 10, to_end=True, status=200)
        assert response.file_to_stream is None


def test_what_a_middleware_puts_there_is_sent_instead(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    with (tmp_path / "file").open("rb") as source:
        request = RequestFactory().get("/")
        response = BlockResponse(request, source, 10, to_end=True, status=200)
        response.streaming_content = [b"compressed"]
        assert response.file_to_stream is None


def test_the_servers_wrapper_gets_the_file_and_closing_it_ends_the_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    with (tmp_path / "file").open("rb") as source:
        request = RequestFactory().get("/")
        response = BlockResponse(request, source, 10, to_end=True, status=200)
        sendable: Any = response.file_to_stream
        assert (sendable.fileno(), sendable.read(4)) == (source.fileno(), b"0123")
        sendable.close()
        assert not source.closed
        # Django puts the response's own close() there before it hands the file to the server.
        sendable.close = response.discard
        sendable.close()
        assert source.closed
