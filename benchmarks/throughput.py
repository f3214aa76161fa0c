"""Bytes per second: files of 1 MB to several clients, each subject beside nginx alone."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from benchmarks import load, machine
from benchmarks.results import Throughput
from benchmarks.site import MEGABYTE, Measured
from tests.real import servers, web_servers
from tests.real.servers import Server
from tests.real.sites import Site
from tests.real.visitors import ask

ROUNDS = 5
SECONDS = 3
CONTROL = "nginx, the file itself"

Front = Callable[[Site, Server], AbstractContextManager[Server]]

# Who sends the bytes, with which backend.
APPLICATIONS = {
    "signed, gunicorn": ("signed", servers.gunicorn),
    "stream, gunicorn": ("stream", servers.gunicorn),
    "stream, granian": ("stream", servers.granian),
}
FRONTS: dict[str, tuple[str, Front]] = {
    "accel, nginx": ("accel", web_servers.nginx),
    "sendfile, Apache": ("sendfile", web_servers.apache),
}

STATIC = "server {{ listen 127.0.0.1:{port}; root {media}; }}\n"


def measure(measured: Measured) -> list[Throughput]:
    """All subjects in turn, again and again, so that a busy minute strikes them alike."""
    with ExitStack() as stack:
        addresses = {subject: url for subject, url in _start(measured, stack)}
        for url in addresses.values():
            load.requests_per_second(url, seconds=1)  # what a first request loads is no speed
        rounds = [_round(number, addresses) for number in range(1, ROUNDS + 1)]
    return [
        Throughput(subject, [one[subject] for one in rounds], [one[CONTROL] for one in rounds])
        for subject in addresses
    ]


def _round(number: int, addresses: Mapping[str, str]) -> dict[str, float]:
    """Megabytes per second of each subject."""
    sys.stderr.write(f"Round {number} of {ROUNDS} …\n")
    return {
        subject: load.requests_per_second(url, SECONDS) * MEGABYTE / 1e6
        for subject, url in addresses.items()
    }


def _start(measured: Measured, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Each subject with the URL that gives its bytes, the control first."""
    control = stack.enter_context(_nginx_alone(measured.site))
    yield CONTROL, f"{control.origin}/small.bin"
    for subject, (backend, serving) in APPLICATIONS.items():
        server = stack.enter_context(serving(measured.delivering(backend)))
        answer = ask("GET", server.origin + measured.small)
        yield subject, answer.headers["Location"] or server.origin + measured.small
    for subject, (backend, front) in FRONTS.items():
        site = measured.delivering(backend)
        application = stack.enter_context(servers.gunicorn(site))
        server = stack.enter_context(front(site, application))
        yield subject, server.origin + measured.small


@contextmanager
def _nginx_alone(site: Site) -> Iterator[Server]:
    """nginx as it stands in front of the application, with the folder of the files instead."""
    program = machine.path_of("nginx")
    assert program is not None
    port = servers.free_port()
    folder = site.folder.parent / "control"
    folder.mkdir()
    (folder / "site.conf").write_text(STATIC.format(port=port, media=site.folder / "media"))
    main = folder / "main.conf"
    main.write_text(web_servers.NGINX.format(folder=folder))
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(main)]
    with servers.running(command, port, folder / "nginx.log") as server:
        yield server
