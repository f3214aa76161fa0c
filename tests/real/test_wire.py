"""What leaves each server, to the byte: ranges, whole files, and what follows on the connection.

Each server has its line in docs/delivery.md. To write the lines anew:
``SERVERS_TABLE=docs/delivery.md pytest tests/real/test_wire.py``.
"""

import errno
import json
import os
import random
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.real import servers, web_servers
from tests.real.memory import linux_only
from tests.real.programs import give_up
from tests.real.servers import Server
from tests.real.sites import CHECKOUT, Site
from tests.real.visitors import PATIENCE, ask

PAGE = CHECKOUT / "docs" / "delivery.md"
BEGIN, END = "<!-- servers, seen by the tests: begin -->\n", "<!-- servers: end -->\n"

SIZE = 100_000
BYTES = random.Random(12).randbytes(SIZE)
LARGE = 16 * 1024 * 1024
NAMES = ("bytes.bin", "empty.bin", "changing.bin", "large.bin")

ENTRY_POINTS = ("view", "middleware", "wrapper")
# A link that streams, and the temporary content URL that other links lead to.
ADDRESSES = ("link", "ticket")

STREAM_BACKEND = "directlinks.delivery.backends.stream.StreamBackend"
STREAM = f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "{STREAM_BACKEND}"}}}}\n'

# All entry points in one process, chosen by a header. X-Then changes the file after it was opened
# and before the server sends it.
COMMON = f"""
from pathlib import Path
from django.conf import settings
from django.test import override_settings

OURS = "directlinks.contrib.fastlane.middleware.DirectLinksMiddleware"
BYTES = Path(settings.MEDIA_ROOT, "bytes.bin").read_bytes()
CHANGES = {{"grow": BYTES + b"surplus" * 1000, "shrink": BYTES[:1000], "none": b""}}

def change(then):
    if then in CHANGES:
        # In its place, as a program of the host would.
        with Path(settings.MEDIA_ROOT, "changing.bin").open("r+b") as file:
            file.truncate(min(len(CHANGES[then]), {SIZE}))
            file.seek(0, 2)
            file.write(CHANGES[then][{SIZE}:])
"""
WSGI = f"""{COMMON}
from django.core.handlers.wsgi import WSGIHandler
from mysite.wsgi import application as view
from directlinks.contrib.fastlane.wsgi import DirectLinksWSGI

with override_settings(MIDDLEWARE=[OURS, *settings.MIDDLEWARE]):
    middleware = WSGIHandler()
ENTRY_POINTS = {{"view": view, "middleware": middleware, "wrapper": DirectLinksWSGI(view)}}

def application(environ, start_response):
    entry_point = ENTRY_POINTS[environ.get("HTTP_X_ENTRY_POINT", "view")]
    answer = entry_point(environ, start_response)
    change(environ.get("HTTP_X_THEN"))
    return answer
"""
ASGI = f"""{COMMON}
from django.core.handlers.asgi import ASGIHandler
from mysite.asgi import application as view
from directlinks.contrib.fastlane.asgi import DirectLinksASGI

with override_settings(MIDDLEWARE=[OURS, *settings.MIDDLEWARE]):
    middleware = ASGIHandler()
ENTRY_POINTS = {{"view": view, "middleware": middleware, "wrapper": DirectLinksASGI(view)}}

async def application(scope, receive, send):
    sent = dict(scope.get("headers", ()))
    async def sending(message):
        if message["type"] == "http.response.start":
            change(sent.get(b"x-then", b"").decode())
        await send(message)
    entry_point = sent.get(b"x-entry-point", b"view").decode()
    await ENTRY_POINTS[entry_point](scope, receive, sending)
"""

Starting = Callable[..., AbstractContextManager[Server]]
SERVERS: Mapping[str, tuple[Starting, str]] = {
    "gunicorn, sync": (partial(servers.gunicorn, worker_class="sync"), "wsgi"),
    "gunicorn, gthread": (servers.gunicorn, "wsgi"),
    "gunicorn, gevent": (partial(servers.gunicorn, worker_class="gevent"), "wsgi"),
    "uWSGI": (servers.uwsgi, "wsgi"),
    "waitress": (servers.waitress, "wsgi"),
    "granian, WSGI": (servers.granian, "wsgi"),
    "mod_wsgi": (web_servers.mod_wsgi, "wsgi"),
    "uvicorn": (servers.uvicorn, "asgi"),
    "hypercorn": (servers.hypercorn, "asgi"),
    "daphne": (servers.daphne, "asgi"),
}


@pytest.fixture(scope="module")
def wired(public_site: Site) -> Site:
    """The site with its entry points, and files that the tests may change in their place."""
    site = public_site.variant("streaming", STREAM)
    media = site.folder / "media"
    media.mkdir()
    (media / "bytes.bin").write_bytes(BYTES)
    (media / "empty.bin").touch()
    (media / "changing.bin").write_bytes(BYTES)
    (media / "large.bin").write_bytes(bytes(LARGE))
    (site.folder / "mysite" / "wire_wsgi.py").write_text(WSGI)
    (site.folder / "mysite" / "wire_asgi.py").write_text(ASGI)
    site.manage("directlinks_add", "ada", "--adopt", *NAMES)
    return site


@pytest.fixture(scope="module")
def paths(public_site: Site, wired: Site) -> dict[tuple[str, str], str]:
    """The path of each file by its name and the kind of address."""
    links = public_site.shell(
        "import json",
        "from django.test import Client",
        "from directlinks.models import DirectLink, File",
        "paths = {file.name: DirectLink.objects.create(file=file).get_absolute_url()",
        "         for file in File.objects.all()}",
        'targets = {name: Client().get(path, headers={"Host": "127.0.0.1"}).headers["Location"]',
        "           for name, path in paths.items()}",
        "print(json.dumps([[paths[name], targets[name], name] for name in paths]))",
    )
    return {
        (name, address): urlsplit(url).path
        for link, target, name in json.loads(links)
        for address, url in (("link", link), ("ticket", target))
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it was on the wire; ``whole`` if its body has the length that it says."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Asking:
    """A running server, one of its entry points and the kind of address that is asked for."""

    site: Site
    server: Server
    entry_point: str
    address: str
    paths: Mapping[tuple[str, str], str]

    def request(self, name: str, method: str = "GET", **headers: str) -> bytes:
        host = urlsplit(self.server.origin).netloc
        sent = {"Host": host, "X-Entry-Point": self.entry_point, **headers}
        lines = [f"{method} {self.paths[name, self.address]} HTTP/1.1"]
        lines += [f"{header.replace('_', '-')}: {value}" for header, value in sent.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def ask(self, name: str, method: str = "GET", **headers: str) -> Answer:
        """Return the first of two answers, once no byte was found between it and the second."""
        with self.connect() as connection:
            connection.sendall(self.request(name, method, **headers))
            answer, rest = first_answer(connection, b"", method)
            if answer.whole and not is_last(answer):
                # hypercorn closes for the header, uWSGI for the end of what is sent.
                then = self.request("bytes.bin", Range="bytes=3-5", Connection="close")
                connection.sendall(then)
                second, rest = first_answer(connection, rest)
                assert (second.status, second.body) == (206, BYTES[3:6])
                connection.shutdown(socket.SHUT_WR)
            assert rest + everything(connection) == b""
        return answer

    def connect(self) -> socket.socket:
        parts = urlsplit(self.server.origin)
        return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def block_from(connection: socket.socket) -> bytes:
    """Return what comes next, nothing if the server has closed the connection."""
    try:
        return connection.recv(1 << 20)
    except ConnectionResetError:  # pragma: no cover
        return b""


def everything(connection: socket.socket) -> bytes:
    return b"".join(iter(partial(block_from, connection), b""))


def first_answer(
    connection: socket.socket, received: bytes, method: str = "GET"
) -> tuple[Answer, bytes]:
    """Return the next answer, and what else had arrived behind what was ``received`` before."""
    answer, rest = parsed(received, method)
    while not answer.whole and (block := block_from(connection)):
        received += block
        answer, rest = parsed(received, method)
    return answer, rest


def is_last(answer: Answer) -> bool:
    """Whether the server said that it answers nothing more on the connection."""
    return answer.headers.get("connection", "").lower() == "close"


def parsed(received: bytes, method: str = "GET") -> tuple[Answer, bytes]:
    """Return the first answer in ``received``, and what comes behind it."""
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        return Answer(0, {}, b"", whole=False), b""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ")
    assert version == "HTTP/1.1"
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    assert "transfer-encoding" not in headers
    length = 0 if method == "HEAD" or status == "304" else int(headers["content-length"])
    body, rest = rest[:length], rest[length:]
    return Answer(int(status), headers, body, len(body) == length), rest


def told(answer: Answer, body: bytes, content_range: str | None, length: int | None = None) -> str:
    """Return status and number of bytes of an answer, which must be right in everything else."""
    # pytest would compare long bytes for minutes.
    is_right = answer.whole and answer.body == body
    assert is_right, f"{answer.status}, {answer.headers}, {answer.body[:20]!r}"
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-length"] == str(len(body) if length is None else length)
    assert answer.headers["accept-ranges"] == "bytes"
    return f"{answer.status}, {len(answer.body)}"


def whole(asking: Asking) -> str:
    return told(asking.ask("bytes.bin"), BYTES, None)


def part(asked: str, start: int, stop: int, asking: Asking) -> str:
    answer = asking.ask("bytes.bin", Range=f"bytes={asked}")
    return told(answer, BYTES[start:stop], f"bytes {start}-{stop - 1}/{SIZE}")


def empty(asking: Asking) -> str:
    answers = {
        told(asking.ask("empty.bin", **sent), b"", None) for sent in ({}, {"Range": "bytes=0-"})
    }
    assert len(answers) == 1
    return answers.pop()


def head(asking: Asking) -> str:
    return told(asking.ask("bytes.bin", "HEAD", Range="bytes=5-"), b"", None, SIZE)


def not_modified(asking: Asking) -> str:
    etag = asking.ask("bytes.bin", "HEAD").headers["etag"]
    answer = asking.ask("bytes.bin", If_None_Match=etag)
    assert answer.headers["etag"] == etag
    assert answer.body == b""
    return f"{answer.status}, 0"


def if_range(asking: Asking) -> str:
    etag = asking.ask("bytes.bin", "HEAD").headers["etag"]
    same = asking.ask("bytes.bin", Range="bytes=1000-", If_Range=etag)
    other = asking.ask("bytes.bin", Range="bytes=1000-", If_Range='"other"')
    part = told(same, BYTES[1000:], f"bytes 1000-{SIZE - 1}/{SIZE}")
    return f"{part}; other: {told(other, BYTES, None)}"


def unsatisfiable(asking: Asking) -> str:
    answer = asking.ask("bytes.bin", Range=f"bytes={SIZE}-")
    return told(answer, b"", f"bytes */{SIZE}")


def pipelined(asking: Asking) -> str:
    """Five requests at once, the last of which ends the connection."""
    parts = [(0, 9), (1000, 60_000), (0, SIZE - 1), (SIZE - 50, SIZE - 1), (7, 7)]
    asked = [
        asking.request("bytes.bin", Range=f"bytes={first}-{last}", Connection=connection)
        for (first, last), connection in zip(parts, ["keep-alive"] * 4 + ["close"], strict=True)
    ]
    with asking.connect() as connection:
        connection.sendall(b"".join(asked))
        rest = everything(connection)
    seen = 0
    while rest:
        answer, rest = parsed(rest)
        start, stop = parts[seen][0], parts[seen][1] + 1
        told(answer, BYTES[start:stop], f"bytes {start}-{stop - 1}/{SIZE}")
        seen += 1
        assert not (is_last(answer) and rest)
    return f"{seen} of 5"


def aborted(asking: Asking) -> str:
    """Visitors who leave a large download at its beginning, the connection reset."""
    for sent in ({}, {"Range": "bytes=1000-"}) * 5:
        with asking.connect() as connection:
            connection.sendall(asking.request("large.bin", **sent))
            assert connection.recv(1000).startswith(b"HTTP/1.1 20")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    path = str((asking.site.folder / "media" / "large.bin").resolve())
    give_up_at = time.monotonic() + PATIENCE
    while path in asking.server.open_files():
        assert time.monotonic() < give_up_at, "The file stays open."
        time.sleep(0.05)
    whole(asking)
    return "closed"


def grown(asking: Asking) -> str:
    changing(asking).write_bytes(BYTES)
    answers = [asking.ask("changing.bin", X_Then="grow")]
    changing(asking).write_bytes(BYTES)
    answers.append(asking.ask("changing.bin", X_Then="grow", Range="bytes=1000-"))
    part = told(answers[1], BYTES[1000:], f"bytes 1000-{SIZE - 1}/{SIZE}")
    return f"{told(answers[0], BYTES, None)}; {part}"


STALLED_AFTER = 8.0  # seconds


def shrunk(asking: Asking) -> str:
    """A file that became shorter: an answer that is not whole is the last of its connection."""
    seen = set()
    for then, sent in product(("shrink", "none"), ({}, {"Range": "bytes=500-"})):
        changing(asking).write_bytes(BYTES)
        asked = asking.request("changing.bin", X_Then=then, **sent)
        # The second is already waiting when the first is not completed.
        asked += asking.request("bytes.bin", Range="bytes=3-5", Connection="close")
        received = b""
        with asking.connect() as connection:
            connection.sendall(asked)
            connection.settimeout(STALLED_AFTER)
            try:
                while block := block_from(connection):
                    received += block
            except TimeoutError:
                seen.add("stalls")
        answer, rest = parsed(received)
        if answer.status == 500:  # noticed before the head was sent
            assert answer.whole
            seen.add("500")
            continue
        assert (answer.whole, rest) == (False, b"")
        sent_of_it, _, next_answer = answer.body.partition(b"HTTP/1.1 206 ")
        assert BYTES[500 if sent else 0 :].startswith(sent_of_it)
        if next_answer:
            seen.add("not broken off")
            continue
        if "stalls" in seen:  # seen once by waiting, which is enough
            return "stalls"
        seen.add("broken off")
    return " or ".join(sorted(seen, reverse=True))


def changing(asking: Asking) -> Path:
    return asking.site.folder / "media" / "changing.bin"


CASES: Mapping[str, Callable[[Asking], str]] = {
    "`GET`": whole,
    "`bytes=0-0`": partial(part, "0-0", 0, 1),
    "`bytes=1000-1999`": partial(part, "1000-1999", 1000, 2000),
    "`bytes=1000-`": partial(part, "1000-", 1000, SIZE),
    "`bytes=-50`": partial(part, "-50", SIZE - 50, SIZE),
    f"`bytes={SIZE - 1}-`": partial(part, f"{SIZE - 1}-", SIZE - 1, SIZE),
    f"`bytes={SIZE}-`": unsatisfiable,
    "empty file": empty,
    "`HEAD`": head,
    "`If-None-Match`": not_modified,
    "`If-Range`": if_range,
    "pipelined": pipelined,
    "aborted": aborted,
    "grew": grown,
    "shrank": shrunk,
}


@linux_only
@pytest.mark.parametrize("name", SERVERS)
def test_each_server_sends_exactly_what_it_should(
    name: str, wired: Site, paths: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    start, kind = SERVERS[name]
    with start(wired, application=f"mysite.wire_{kind}:application") as server:
        cells = [cell(case, wired, server, paths) for case in CASES.values()]

    page = PAGE.read_text()
    line = f"| {' | '.join([name, *cells])} |\n"
    now = with_line(page, line)
    Path(os.environ.get("SERVERS_TABLE", tmp_path / "delivery.md")).write_text(now)
    # pytest would compare two long pages for minutes.
    is_told = page == now
    assert is_told, f"The page does not say {line}; the module's docstring says how to change it."


def cell(
    case: Callable[[Asking], str], site: Site, server: Server, paths: Mapping[Any, str]
) -> str:
    """What is seen of ``case``, which must be the same by each entry point and address."""
    seen: dict[str, list[str]] = {}
    for entry_point, address in product(ENTRY_POINTS, ADDRESSES):
        what = case(Asking(site, server, entry_point, address, paths))
        seen.setdefault(what, []).append(f"{entry_point}, {address}")
        if what == "stalls":  # seen once by waiting, which is enough
            return what
    assert len(seen) == 1, seen
    return seen.popitem()[0]


def with_line(page: str, line: str) -> str:
    """``page`` with ``line`` in the place of the one that begins likewise, or as the last."""
    before, _, rest = page.partition(BEGIN)
    table, _, after = rest.partition(END)
    lines = [f"| {' | '.join(['', *CASES])} |\n".replace("|  |", "|  |", 1)]
    lines.append("| --- " * (len(CASES) + 1) + "|\n")
    old = {text.partition(" | ")[0]: text for text in table.splitlines(keepends=True)[2:]}
    old[line.partition(" | ")[0]] = line
    return f"{before}{BEGIN}{''.join([*lines, *old.values()])}{END}{after}"


# Files of the kernel that have a size, and that sendfile(2) refuses: as some file systems do.
KERNEL_FILES = ("/proc/config.gz", *map(str, sorted(Path("/proc/bus/pci").glob("*/*"))))


def without_sendfile() -> Path:
    """Return a regular file that can be read and not be sent by the kernel."""
    found = next((path for path in map(Path, KERNEL_FILES) if is_refused(path)), None)
    if found is None:  # pragma: no cover
        give_up("a file of the kernel that sendfile(2) refuses")
    return found


def is_refused(path: Path) -> bool:
    server, client = socket.socketpair()
    with server, client, suppress(OSError), path.open("rb") as file:
        if len(file.read()) == os.fstat(file.fileno()).st_size > 0:
            try:
                os.sendfile(server.fileno(), file.fileno(), 0, 1)
            except OSError as error:
                return error.errno == errno.EINVAL
    return False  # pragma: no cover


@linux_only
@pytest.mark.parametrize("worker_class", ["sync", "gthread", "gevent"])
def test_gunicorn_sends_what_the_kernel_cannot(worker_class: str, public_site: Site) -> None:
    path = without_sendfile()
    site = public_site.variant("kernel", f'{STREAM}MEDIA_ROOT = "{path.parent}"\n')
    link = site.shell(
        "from directlinks.models import DirectLink, File",
        'ada = User.objects.get(username="ada")',
        f'file = File.objects.create(owner=ada, path="{worker_class}", content="{path.name}")',
        "print(DirectLink.objects.create(file=file).get_absolute_url())",
    )
    expected = path.read_bytes()
    with servers.gunicorn(site, worker_class=worker_class) as server:
        whole = ask("GET", server.origin + link)
        part = ask("GET", server.origin + link, headers={"Range": "bytes=100-"})

    assert (whole.status, whole.body) == (200, expected)
    assert (part.status, part.body) == (206, expected[100:])
