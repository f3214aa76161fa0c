"""The doors through which a visitor may come, each with its own way from a request to an answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote

from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from werkzeug.test import Client as WSGIClient

from directlinks.contrib.fastlane.asgi import DirectLinksASGI
from directlinks.contrib.fastlane.wsgi import DirectLinksWSGI

HOST = "testserver"
MIDDLEWARE = "directlinks.contrib.fastlane.middleware.DirectLinksMiddleware"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a visitor sees; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: SimpleCookie


Door = Callable[..., Seen]


def view(
    path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Seen:
    """Django's routing, behind the usual middleware."""
    # It speaks to the WSGI handler itself, without the test client's own middleware.
    return through_wsgi(WSGIHandler(), path, method, headers or {}, body)


def middleware(
    path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Seen:
    with override_settings(MIDDLEWARE=[MIDDLEWARE, *settings.MIDDLEWARE]):
        return through_wsgi(WSGIHandler(), path, method, headers or {}, body)


def wsgi(
    path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Seen:
    return through_wsgi(DirectLinksWSGI(WSGIHandler()), path, method, headers or {}, body)


def asgi_middleware(
    path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Seen:
    with override_settings(MIDDLEWARE=[MIDDLEWARE, *settings.MIDDLEWARE]):
        return through_asgi(ASGIHandler(), path, method, headers or {}, body)


def asgi(
    path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Seen:
    return through_asgi(DirectLinksASGI(ASGIHandler()), path, method, headers or {}, body)


DOORS: list[Door] = [view, middleware, wsgi, asgi_middleware, asgi]


def through_wsgi(
    application: Any, path: str, method: str, headers: Mapping[str, str], body: bytes = b""
) -> Seen:
    client = WSGIClient(application, use_cookies=False)  # those in the headers are sent
    answer = client.open(
        path,
        method=method,
        headers=dict(headers),
        data=body,
        base_url=f"http://{HOST}",
        buffered=True,
    )
    return _seen(answer.status_code, answer.headers.items(), answer.data)


def through_asgi(
    application: Any, path: str, method: str, headers: Mapping[str, str], body: bytes = b""
) -> Seen:
    return async_to_sync(_asked)(application, path, method, headers, body)


async def _asked(
    application: Any, path: str, method: str, headers: Mapping[str, str], sent_body: bytes
) -> Seen:
    sent = {"host": HOST, **{name.lower(): value for name, value in headers.items()}}
    if sent_body:
        sent["content-length"] = str(len(sent_body))
    bare, _, query = path.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "method": method,
        "scheme": "http",
        "path": unquote(bare),
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1234),
        "server": (HOST, 80),
    }
    communicator: Any = ApplicationCommunicator  # which has no types
    connection = communicator(application, scope)
    await connection.send_input({"type": "http.request", "body": sent_body, "more_body": False})
    start = await connection.receive_output(timeout=10)
    body, more = b"", True
    while more:
        part = await connection.receive_output(timeout=10)
        body += part.get("body", b"")
        more = part.get("more_body", False)
    await connection.wait(timeout=10)
    told = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return _seen(start["status"], told, body)


def _seen(status: int, told: Iterable[tuple[str, str]], body: bytes) -> Seen:
    headers, cookies = {}, SimpleCookie()
    for name, value in told:
        headers[name.lower()] = value
        if name.lower() == "set-cookie":
            cookies.load(value)
    return Seen(status, _of_ours(headers), body, cookies)


def _of_ours(headers: dict[str, str]) -> dict[str, str]:
    """Return ``headers`` without the one that Django's LocaleMiddleware adds behind some doors."""
    return {name: value for name, value in headers.items() if name != "content-language"}


def same_for_all(
    path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> dict[str, Seen]:
    """What each door answers to the same request."""
    return {door.__name__: door(path, method, headers, body) for door in DOORS}
