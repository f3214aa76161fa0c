"""Memory: by how much a server grows at most while it sends one file of 1 GiB."""

from benchmarks.results import Growth
from benchmarks.site import GIBIBYTE, Measured
from tests.real import servers
from tests.real.memory import growth
from tests.real.visitors import target_of

SERVERS = {"gunicorn": servers.gunicorn, "uvicorn": servers.uvicorn}
BACKENDS = ("signed", "stream")


def measure(measured: Measured) -> list[Growth]:
    """Each backend that sends bytes itself, under a WSGI and under an ASGI server."""
    return [_measure(measured, backend, server) for backend in BACKENDS for server in SERVERS]


def _measure(measured: Measured, backend: str, name: str) -> Growth:
    with SERVERS[name](measured.delivering(backend)) as server:
        huge, small = server.origin + measured.huge, server.origin + measured.small
        if backend == "signed":
            huge, small = map(target_of, (huge, small))
        return Growth(f"{backend}, {name}", growth(server, huge, small, GIBIBYTE))
