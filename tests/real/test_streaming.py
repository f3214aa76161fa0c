"""Downloads by real servers, WSGI and ASGI: memory, resuming, and the shapes without a body."""

import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from tests.real import servers
from tests.real.memory import MIB, growth, linux_only
from tests.real.servers import Server
from tests.real.sites import Site, run
from tests.real.visitors import PATIENCE, ask, connect, log_in, put, send

STREAM_BACKEND = "directlinks.delivery.backends.stream.StreamBackend"
STREAM = f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "{STREAM_BACKEND}"}}}}\n'
HUGE = 1024 * MIB
RANDOM = random.Random(8).randbytes(8 * MIB)

Serving = Callable[[Site], AbstractContextManager[Server]]


@pytest.fixture(scope="module")
def files(site: Site) -> Site:
    """The site as it is in production, with a file of 1 GiB and one of random bytes."""
    site.append("mysite/settings.py", 'DEBUG = False\nALLOWED_HOSTS = ["127.0.0.1"]\n')
    media = site.folder / "media"
    media.mkdir()
    with (media / "huge.bin").open("wb") as file:
        file.truncate(HUGE)
    (media / "random.bin").write_bytes(RANDOM)
    site.manage("directlinks_add", "ada", "--adopt", "huge.bin", "random.bin")
    return site


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn", "granian"])
def serving(request: pytest.FixtureRequest) -> Serving:
    server: Serving = getattr(servers, request.param)
    return server


@pytest.fixture(scope="module")
def server(files: Site, serving: Serving) -> Iterator[Server]:
    with serving(files) as server:
        yield server


@pytest.fixture(scope="module")
def links(server: Server) -> tuple[str, str]:
    """The links to the huge and to the random file."""
    api = f"{server.origin}/api/v4/"
    answer = put(api, log_in(api, "ada"), ["cloudreve://my/huge.bin", "cloudreve://my/random.bin"])
    huge, small = (item["link"] for item in answer["data"])
    return huge, small


def target(link: str, method: str = "GET") -> str:
    """Where the link leads to."""
    answer = ask(method, link)
    assert answer.status == 302
    return str(urljoin(link, answer.headers["Location"]))


def on_the_wire(method: str, url: str, **headers: str) -> tuple[str, bytes]:
    """Head and body of an answer as the server sent them: a client would hide a stray body."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    address = (parts.hostname, parts.port)
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    return head.decode().lower(), body


def closes(server: Server, path: Path) -> bool:
    """Whether the server has closed the file at ``path``, or does so within ten seconds."""

    def is_closed(_: int) -> bool:
        time.sleep(0.05)
        return str(path) not in server.open_files()

    return any(map(is_closed, range(200)))


@linux_only
def test_a_huge_download_takes_little_memory(server: Server, links: tuple[str, str]) -> None:
    huge, small = map(target, links)

    assert growth(server, huge, small, HUGE) <= 16 * MIB


@linux_only
def test_a_huge_download_from_the_link_itself_takes_little_memory(
    files: Site, serving: Serving, links: tuple[str, str]
) -> None:
    huge, small = (urlsplit(link).path for link in links)
    with serving(files.variant("stream", STREAM)) as server:
        assert growth(server, server.origin + huge, server.origin + small, HUGE) <= 16 * MIB


@linux_only
def test_a_client_that_leaves_half_way_leaves_no_file_open(
    files: Site, server: Server, links: tuple[str, str]
) -> None:
    url = target(links[0])
    path = (files.folder / "media" / "huge.bin").resolve()

    with closing(connect(url)) as connection:
        response = send(connection, "GET", url)
        response.read(MIB)
        assert server.open_files().count(str(path)) == 1
        response.close()

    assert closes(server, path)


@pytest.mark.parametrize("already", [1, 3 * MIB + 7, 8 * MIB - 1])
def test_curl_resumes_a_broken_download(
    already: int, links: tuple[str, str], tmp_path: Path
) -> None:
    curl = shutil.which("curl")
    assert curl is not None, "This test needs curl: install it (on Debian: apt install curl)."
    part = tmp_path / "random.bin"
    part.write_bytes(RANDOM[:already])

    options = ["--silent", "--show-error", "--fail", "--location", "--noproxy", "*"]
    resume = ["--continue-at", "-", "--output", str(part), links[1]]
    run([curl, *options, *resume], cwd=tmp_path, environment=os.environ)

    assert part.read_bytes() == RANDOM


@pytest.mark.parametrize("start", [0, 1, 512 * 1024, 8 * MIB - 1])
def test_a_range_is_exactly_what_was_asked_for(links: tuple[str, str], start: int) -> None:
    answer = ask("GET", target(links[1]), headers={"Range": f"bytes={start}-"})

    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{8 * MIB - 1}/{8 * MIB}"
    assert answer.body == RANDOM[start:]


def test_head_of_a_link_leads_on_without_a_body(links: tuple[str, str]) -> None:
    head, body = on_the_wire("HEAD", links[0])

    assert head.startswith("http/1.1 302 ")
    assert "content-length: 0" in head.splitlines()
    assert body == b""


def test_head_of_a_file_has_its_length_and_no_body(links: tuple[str, str]) -> None:
    head, body = on_the_wire("HEAD", target(links[0], "HEAD"))

    assert head.startswith("http/1.1 200 ")
    assert f"content-length: {HUGE}" in head.splitlines()
    assert body == b""


def test_who_has_the_bytes_already_gets_none(links: tuple[str, str]) -> None:
    url = target(links[1])
    etag = ask("HEAD", url).headers["ETag"]

    head, body = on_the_wire("GET", url, If_None_Match=etag)

    assert head.startswith("http/1.1 304 ")
    assert f"etag: {etag}".lower() in head.splitlines()
    assert body == b""
