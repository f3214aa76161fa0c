"""Bodies in chunks, without a Content-Length, as proxies and streaming clients send them."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.real.servers import Server, free_port, granian, gunicorn, running, uvicorn
from tests.real.sites import PASSWORD, Site
from tests.real.visitors import connect

LOGIN = json.dumps({"email": "ada", "password": PASSWORD}).encode()
CEILING = 2000


@contextmanager
def runserver(site: Site) -> Iterator[Server]:
    """Start Django's own server, which is that of the standard library."""
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    log = site.folder.parent / f"runserver-{port}.log"
    with running(command, port, log, cwd=site.folder, environment=site.environment) as server:
        yield server


def answer(url: str, body: bytes) -> Any:
    """Send ``body`` in chunks of a few bytes, and return the status and the envelope."""
    size = max(1, len(body) // 7)
    chunks = (body[start : start + size] for start in range(0, len(body), size))
    with closing(connect(url)) as connection:
        connection.request(
            "POST",
            urlsplit(url).path,
            body=chunks,
            headers={"Transfer-Encoding": "chunked"},
            encode_chunked=True,
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize(
    ("serve", "reads"), [(gunicorn, True), (granian, True), (uvicorn, True), (runserver, False)]
)
def test_it_is_read_to_its_end_or_refused_and_never_taken_for_empty(
    serve: Callable[[Site], AbstractContextManager[Server]], reads: bool, site: Site
) -> None:
    variant = site.variant("bodies", f"DATA_UPLOAD_MAX_MEMORY_SIZE = {CEILING}\n")
    with serve(variant) as server:
        api = f"{server.origin}/api/v4"
        login = f"{api}/session/token"
        refused = (411, 411)
        for body, expected in [
            (LOGIN, (200, 0)),
            (LOGIN + b" " * (CEILING - len(LOGIN)), (200, 0)),
            (LOGIN + b" " * (CEILING + 1 - len(LOGIN)), (413, 413)),
            (b"{}", (400, 40001)),
            (b"", (400, 40001)),
        ]:
            status, envelope = answer(login, body)
            assert (status, envelope["code"]) == (expected if reads else refused)
        # The server is as it was before.
        status, envelope = answer(f"{api}/nope", LOGIN)
        assert (status, envelope["code"]) == (404, 404)
