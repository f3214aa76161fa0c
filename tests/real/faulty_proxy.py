"""A proxy between a site and its bucket that counts requests, and refuses, delays and cuts them."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Those of one connection (RFC 9110, section 7.6.1), and the length, which is written anew.
_NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; ``target`` is its path with the query."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a request instead of its answer, or of the answer.

    ``delay`` holds it back, in seconds. ``status``, ``headers`` and ``body`` answer instead
    of the server. ``reset`` closes the connection without an answer, ``cut_after`` that
    number of bytes of the body. ``also`` are headers that the server's own answer has as well.
    """

    delay: float = 0.0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False
    cut_after: int | None = None
    also: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Proxy:
    """A running proxy; ``requests`` are those that came, and ``judge`` gives the fault of each.

    ``rewrite`` gives the body that is passed on in the place of the one that came.
    """

    origin: str
    requests: list[Request] = field(default_factory=list)
    judge: Callable[[Request], Fault | None] = lambda request: None
    rewrite: Callable[[Request, bytes], bytes] = lambda request, body: body

    @contextmanager
    def failing(self, fault: Fault, *, methods: tuple[str, ...] = ()) -> Iterator[None]:
        """Answer all requests, or those with one of ``methods``, with ``fault``."""
        before = self.judge
        self.judge = lambda asked: fault if not methods or asked.method in methods else None
        try:
            yield
        finally:
            self.judge = before

    @contextmanager
    def counting(self) -> Iterator[list[Request]]:
        """Give the list of the requests that come meanwhile."""
        before, self.requests = self.requests, []
        try:
            yield self.requests
        finally:
            self.requests = before + self.requests


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Threads"

    def answer(self) -> None:
        asked = Request(self.command, self.path, dict(self.headers.items()))
        body = self.server.proxy.rewrite(asked, self._body())
        self.server.proxy.requests.append(asked)
        fault = self.server.proxy.judge(asked) or Fault()
        time.sleep(fault.delay)
        if fault.reset:
            self._reset()
        elif fault.status is not None:
            self._send(fault.status, fault.headers, fault.body, len(fault.body))
        else:
            self._pass_on(asked, body, fault)

    # The names are those of http.server.
    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _pass_on(self, asked: Request, body: bytes, fault: Fault) -> None:
        with closing(HTTPConnection(self.server.upstream, timeout=60)) as connection:
            connection.putrequest(
                asked.method,
                asked.target,
                skip_host=self.server.keeps_host,
                skip_accept_encoding=True,
            )
            for name, value in _passed_on(self.headers.items()):
                if self.server.keeps_host or name.lower() != "host":
                    connection.putheader(name, value)
            if body or asked.method in ("PUT", "POST", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            headers = dict(_passed_on(answer.getheaders()))
            sent = answer.read()
            length = int(answer.headers.get("Content-Length") or len(sent))
            self._send(answer.status, {**headers, **fault.also}, sent, length, fault.cut_after)

    def _send(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        length: int,
        cut_after: int | None = None,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut_after])
        if cut_after is not None and cut_after < len(body):
            self._reset()

    def _reset(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        """Log nothing: tests look at ``requests``."""


class _Threads(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy, upstream: str, *, keeps_host: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keeps_host = keeps_host
        self.proxy = proxy
        self.upstream = upstream

    def handle_error(self, *args: object) -> None:
        """Log nothing: a client that leaves is no error."""


def _passed_on(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return (one for one in headers if one[0].lower() not in _NOT_PASSED_ON)


@contextmanager
def faulty_proxy(upstream: str, *, keeps_host: bool = True) -> Iterator[Proxy]:
    """A proxy in front of ``upstream``, without any fault until it is given one.

    If it ``keeps_host``, it passes on the Host header that it gets, so that signatures that are
    made for its address are good.
    """
    proxy = Proxy("")
    with _Threads(proxy, urlsplit(upstream).netloc, keeps_host=keeps_host) as server:
        proxy.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
