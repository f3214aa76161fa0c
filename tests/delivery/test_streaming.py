"""Part of a file, a block at a time."""

import os
import socket
import sys
import wsgiref.util
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO, FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncRequestFactory, RequestFactory
from gunicorn.http.wsgi import FileWrapper

from directlinks.core.visits import Selection
from directlinks.delivery.responses import (
    AsyncBlocks,
    BlockResponse,
    Blocks,
    WholeFile,
)

DATA = b"0123456789"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("directlinks.delivery.responses.BLOCK_BYTES", 4)


@pytest.mark.parametrize(
    ("start", "length", "blocks"),
    [
        (0, 10, [b"0123", b"4567", b"89"]),
        (0, 4, [b"0123"]),
        (2, 5, [b"2345", b"6"]),
        (9, 1, [b"9"]),
        (0, 0, []),
        (10, 0, []),
    ],
)
def test_it_leaves_in_blocks(start: int, length: int, blocks: list[bytes]) -> None:
    assert list(Blocks(BytesIO(DATA[start:]), length)) == blocks

    asked = AsyncBlocks(Blocks(BytesIO(DATA[start:]), length))
    assert async_to_sync(all_of)(asked) == blocks


def test_closing_closes_the_file() -> None:
    first, second = BytesIO(DATA), BytesIO(DATA)
    Blocks(first, 10).close()
    AsyncBlocks(Blocks(second, 10)).close()
    assert first.closed
    assert second.closed


async def all_of(blocks: AsyncBlocks) -> list[bytes]:
    return [block async for block in blocks]


def test_a_content_that_ends_early_breaks_off() -> None:
    with pytest.raises(BrokenPipeError):
        list(Blocks(BytesIO(DATA), 11))
    with pytest.raises(BrokenPipeError):
        async_to_sync(all_of)(AsyncBlocks(Blocks(BytesIO(DATA), 11)))


class Failing(BytesIO):
    """A content whose storage raises ``error`` when it is read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise self.error


def test_a_storage_that_fails_in_the_middle_breaks_off_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(BrokenPipeError):
        next(Blocks(Failing(TimeoutError("late")), 10))
    (line,) = caplog.messages
    assert line.endswith("is closed. The storage did not answer in time (TimeoutError).")


def test_a_fault_of_the_code_is_shown_as_one() -> None:
    with pytest.raises(ValueError, match="a fault"):
        next(Blocks(Failing(ValueError("a fault")), 10))


def test_uwsgi_which_would_keep_the_connection_loses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = socket.socketpair()
    with server, client:
        module = SimpleNamespace(connection_fd=server.fileno)
        monkeypatch.setitem(sys.modules, "uwsgi", cast("Any", module))
        with pytest.raises(BrokenPipeError):
            next(Blocks(BytesIO(), 1))
        assert client.recv(1) == b""


WHOLE = Selection(200, 0, 10, 10)
WRAPPED: dict[str, Any] = {"wsgi.file_wrapper": FileWrapper}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[FileIO]:
    (tmp_path / "file").write_bytes(DATA)
    with FileIO(tmp_path / "file", "r+") as file:
        yield file


@pytest.mark.parametrize(
    ("factory", "in_loop"), [(RequestFactory(), False), (AsyncRequestFactory(), True)]
)
class TestResponse:
    def test_it_is_made_for_the_server_that_asked(self, factory: Any, in_loop: bool) -> None:
        part = Selection(206, 0, 10, 20)
        response = BlockResponse(factory.get("/"), BytesIO(DATA), part)
        assert (response.status_code, response.is_async) == (206, in_loop)

    def test_discarding_closes_the_file_and_does_not_end_the_request(
        self, factory: Any, in_loop: bool
    ) -> None:
        source = BytesIO(DATA)
        response = BlockResponse(factory.get("/"), source, WHOLE)
        response.discard()
        assert (source.closed, response.closed) == (True, False)


@pytest.mark.parametrize(
    ("selection", "environ", "is_sent_by_server"),
    [
        (WHOLE, WRAPPED, True),
        (Selection(206, 0, 10, 10), WRAPPED, False),
        (Selection(206, 5, 10, 10), WRAPPED, False),
        (Selection(200, 0, 0, 0), WRAPPED, False),
        (WHOLE, {}, False),
        # It says nothing of the servers that send more than they should.
        (WHOLE, {"wsgi.file_wrapper": wsgiref.util.FileWrapper}, False),
        (WHOLE, {"wsgi.file_wrapper": lambda source, size: source}, False),
    ],
)
def test_a_server_sends_a_whole_file_itself_if_it_is_known_to_be_exact(
    selection: Selection, environ: dict[str, Any], is_sent_by_server: bool, file: FileIO
) -> None:
    response = BlockResponse(RequestFactory().get("/", **environ), file, selection)
    assert (response.file_to_stream is not None) == is_sent_by_server


def test_memory_is_no_file() -> None:
    request = RequestFactory().get("/", **WRAPPED)
    assert BlockResponse(request, BytesIO(DATA), WHOLE).file_to_stream is None
    blocks = Blocks(BytesIO(DATA), 10)
    assert blocks.sent_by(WRAPPED) is blocks


def test_what_a_middleware_puts_there_is_sent_instead(file: FileIO) -> None:
    response = BlockResponse(RequestFactory().get("/", **WRAPPED), file, WHOLE)
    response.streaming_content = [b"other"]
    assert response.file_to_stream is None


def test_middleware_that_compresses_believes_that_this_is_compressed() -> None:
    response = BlockResponse(RequestFactory().get("/"), BytesIO(DATA), WHOLE)
    assert response.has_header("Content-Encoding")
    assert "content-encoding" in response
    assert not response.has_header("ETag")
    assert "Content-Encoding" not in response.headers


class TestAWholeFile:
    def test_it_is_a_complete_file(self, file: FileIO) -> None:
        whole = WholeFile(file, 10)
        assert whole.fileno() == file.fileno()
        assert (whole.read(3), whole.tell()) == (b"012", 3)
        assert (whole.seek(-1, os.SEEK_END), whole.read(), whole.read()) == (9, b"9", b"")
        assert (whole.seek(8), whole.read(0), whole.read(5)) == (8, b"", b"89")
        whole.close()
        assert file.closed

    def test_of_one_that_grew_only_its_length_is_read(self, file: FileIO) -> None:
        file.seek(0, os.SEEK_END)
        file.write(b"surplus")
        file.seek(0)
        assert WholeFile(file, 10).read(99) == DATA
        assert WholeFile(file, 10).read() == b""

    def test_of_one_that_shrank_reading_and_seeking_break_off(self, file: FileIO) -> None:
        file.truncate(4)
        whole = WholeFile(file, 10)
        assert whole.read(99) == b"0123"
        with pytest.raises(BrokenPipeError):
            whole.read(99)
        with pytest.raises(BrokenPipeError):
            whole.seek(0, os.SEEK_END)

    @pytest.mark.parametrize("left", [0, 4])
    def test_of_one_that_shrank_while_the_kernel_sent_it_closing_breaks_off(
        self, left: int, file: FileIO, caplog: pytest.LogCaptureFixture
    ) -> None:
        file.truncate(left)
        server, client = socket.socketpair()
        with server, client:
            whole = WholeFile(file, 10)
            whole.fileno()
            assert server.sendfile(cast("Any", whole), count=10) == left
            with pytest.raises(BrokenPipeError):
                whole.close()
        assert file.closed
        assert "ended before its announced length" in caplog.text

    def test_all_that_was_sent_is_enough(self, file: FileIO) -> None:
        server, client = socket.socketpair()
        with server, client:
            whole = WholeFile(file, 10)
            whole.fileno()
            assert server.sendfile(cast("Any", whole), count=10) == 10
            whole.close()

    def test_one_that_nothing_was_sent_of_is_closed_in_peace(self, file: FileIO) -> None:
        WholeFile(file, 10).close()

    def test_a_visitor_who_left_is_what_it_is(self, file: FileIO) -> None:
        whole = WholeFile(file, 10)
        whole.fileno()
        with pytest.raises(ConnectionResetError), closing(whole):
            raise ConnectionResetError

    @pytest.mark.django_db  # the end of a request closes old connections
    @pytest.mark.parametrize("sent", [4, 10])
    def test_closing_the_response_closes_it(self, sent: int, file: FileIO) -> None:
        response = BlockResponse(RequestFactory().get("/", **WRAPPED), file, WHOLE)
        whole: Any = response.file_to_stream
        whole.read(sent)
        # As Django does before it hands the file to the server.
        whole.close = response.close
        wrapped = FileWrapper(whole)
        if sent == 10:
            wrapped.close()
        else:
            with pytest.raises(BrokenPipeError):
                wrapped.close()
        assert file.closed
