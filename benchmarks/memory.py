"""Memory: by how much a server grows at most while it sends one file of 1 GiB."""

from urllib.parse import urlsplit

from benchmarks.results import Growth
from benchmarks.site import Measured
from tests.real import servers
from tests.real.servers import Server
from tests.real.test_streaming import growth
from tests.real.visitors import ask

SERVERS = {"gunicorn": servers.gunicorn, "uvicorn": servers.uvicorn}


def measure(measured: Measured) -> list[Growth]:
    """Each backend that sends bytes itself, under a WSGI and under an ASGI server."""
    return [
        _measure(measured, backend, server)
        for backend in ("signed", "stream")
        for server in SERVERS
    ]


def _measure(measured: Measured, backend: str, name: str) -> Growth:
    with SERVERS[name](measured.delivering(backend)) as server:
        huge, small = (_end_of(server, path) for path in (measured.huge, measured.small))
        return Growth(f"{backend}, {name}", growth(server, huge, small))


def _end_of(server: Server, path: str) -> str:
    """Where the bytes of the link at ``path`` are: where it leads, or the link itself."""
    # The answer to a HEAD would be an address that is good for a HEAD only.
    link = server.origin + path
    if "stream" in path:
        return link
    return urlsplit(ask("GET", link).headers["Location"]).geturl()
