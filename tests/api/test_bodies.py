"""Bodies of which the length is not announced, as a WSGI server hands them over."""

import io
import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

LOGIN = json.dumps({"email": "ada"}).encode()


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, remembers how many, and fails at its ``end``."""

    def __init__(self, data: bytes, end: Exception | None = None) -> None:
        self.data = data
        self.given = 0
        self.end = end

    def read(self, size: int = -1, /) -> bytes:
        part = self.data[self.given : self.given + min(size, 5)]
        self.given += len(part)
        if not part and self.end is not None:
            raise self.end
        return part


def answer(stream: Any, **environ: Any) -> dict[str, Any]:
    """Return the answer of the site to a login whose body is ``stream``."""
    environ = {
        **RequestFactory().post("/api/v4/session/token").environ,
        "wsgi.input": stream,
        "HTTP_TRANSFER_ENCODING": "chunked",
        **environ,
    }
    if environ.get("CONTENT_LENGTH") is None:
        del environ["CONTENT_LENGTH"]
    statuses = []
    response = WSGIHandler()(environ, lambda status, headers: statuses.append(status))  # type: ignore[arg-type]
    envelope: dict[str, Any] = json.loads(b"".join(response))
    assert statuses[0].startswith(f"{envelope['code']}"[:3])
    return envelope


@pytest.mark.parametrize("length", [None, ""])
def test_it_is_read_if_the_server_says_that_the_input_ends(length: str | None) -> None:
    stream = Trickle(LOGIN)
    told = answer(stream, **{"wsgi.input_terminated": True, "CONTENT_LENGTH": length})
    assert told["msg"] == "Password cannot be empty"
    assert stream.given == len(LOGIN)


@pytest.mark.parametrize("length", [None, ""])
@pytest.mark.parametrize("terminated", [{}, {"wsgi.input_terminated": False}])
def test_it_is_a_411_otherwise_and_never_waited_for(
    length: str | None, terminated: dict[str, Any]
) -> None:
    stream = Trickle(LOGIN)
    told = answer(stream, **terminated, CONTENT_LENGTH=length)
    assert told["code"] == 411
    assert told["correlation_id"]
    assert stream.given == 0


def test_without_a_length_and_without_chunks_there_is_no_body() -> None:
    told = answer(Trickle(LOGIN), HTTP_TRANSFER_ENCODING="", CONTENT_LENGTH=None)
    assert (told["code"], told["msg"]) == (40001, "Parameter error")


def test_it_is_read_to_the_ceiling_and_no_further(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    stream = Trickle(b"[" * 1000)
    assert answer(stream, **{"wsgi.input_terminated": True, "CONTENT_LENGTH": None})["code"] == 413
    assert stream.given == 101


def test_an_end_that_never_came_is_a_fault_of_the_request() -> None:
    stream = Trickle(LOGIN, ConnectionResetError())
    told = answer(stream, **{"wsgi.input_terminated": True, "CONTENT_LENGTH": None})
    assert (told["code"], told["msg"]) == (40001, "Parameter error")
