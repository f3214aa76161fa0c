"""Bytes per second: files to several clients, each subject beside nginx alone.

Of a file of 1 MB the cost of a request is the larger part, of one of 100 MB that of the bytes.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from urllib.parse import urljoin

from benchmarks import load, machine
from benchmarks.effort import Effort
from benchmarks.redirects import WRAPPED_APPLICATION
from benchmarks.results import GOAL_RATIO, Rates
from benchmarks.site import PLAIN_APPLICATION, Measured
from tests.real import servers, web_servers
from tests.real.servers import Server
from tests.real.sites import Site
from tests.real.visitors import connect, send

CLIENTS = 8

CONTROL = "nginx, the file itself"
SIZES = {"1 MB": "small.bin", "100 MB": "large.bin"}

Front = Callable[[Site, Server], AbstractContextManager[Server]]

# The site behind directlinks.wsgi, under each server: with a worker process for each core, as nginx
# has. Threads of one process wait for each other, but a single one would wait for a slow client.
WORKERS = os.cpu_count() or 1
gunicorn = partial(servers.gunicorn, application=WRAPPED_APPLICATION, workers=WORKERS, threads=2)
granian = partial(servers.granian, application=WRAPPED_APPLICATION, workers=WORKERS, threads=2)

# Who sends the bytes, with which backend.
APPLICATIONS: dict[str, tuple[str, Callable[[Site], AbstractContextManager[Server]]]] = {
    "signed, gunicorn": ("signed", gunicorn),
    "signed, granian": ("signed", granian),
    "stream, gunicorn": ("stream", gunicorn),
    "stream, granian": ("stream", granian),
}
FRONTS: dict[str, tuple[str, Front]] = {
    "accel, nginx": ("accel", web_servers.nginx),
    "sendfile, Apache": ("sendfile", web_servers.apache),
}
REMEMBERING = "{}, cache and journal"

# What sends the same file in the same way and knows nothing of links: the most that we can reach on
# this machine. nginx alone does not tell, since it sends from the kernel what Python copies, and
# writes nothing.
PLAIN = "no links, {}"
PLAIN_COUNTED = "no links, one write, {}"
# The others count each visit in SQLite: a ticket was counted with its link.
NOT_COUNTED = ("signed", "cache and journal")

STATIC = "server {{ listen 127.0.0.1:{port}; root {media}; }}\n"


def measure(measured: Measured, effort: Effort) -> dict[str, list[Rates]]:
    """All subjects in turn, again and again, so that a busy minute strikes them alike."""
    with ExitStack() as stack:
        started = dict(_start(measured, stack))
        return {
            what: _measure({subject: urls[what] for subject, urls in started.items()}, effort)
            for what in effort.bodies
        }


def _measure(addresses: Mapping[str, str], effort: Effort) -> list[Rates]:
    for url in addresses.values():
        # What a first request loads is no speed.
        load.megabytes_per_second(url, clients=CLIENTS, seconds=1)
    rounds = [_round(number, addresses, effort) for number in range(1, effort.rounds + 1)]
    rates = {subject: [one[subject] for one in rounds] for subject in addresses}
    return [
        Rates(subject, rates[subject], rates[CONTROL], goal, rates.get(plain))
        for subject, goal, plain in ((one, *_expected(one)) for one in addresses)
    ]


def _expected(subject: str) -> tuple[float | None, str]:
    """Return the goal of ``subject``, if it has one, and which other one limits it."""
    if subject == CONTROL or subject.startswith(PLAIN.format("")):
        return None, ""
    backend, server, *remembering = subject.split(", ")
    is_counted = not {backend, *remembering}.intersection(NOT_COUNTED)
    return GOAL_RATIO, (PLAIN_COUNTED if is_counted else PLAIN).format(server)


def _round(number: int, addresses: Mapping[str, str], effort: Effort) -> dict[str, float]:
    """Megabytes per second of each subject."""
    sys.stderr.write(f"Round {number} of {effort.rounds} …\n")
    return {
        subject: load.megabytes_per_second(url, clients=CLIENTS, seconds=effort.seconds)
        for subject, url in addresses.items()
    }


def _start(measured: Measured, stack: ExitStack) -> Iterator[tuple[str, dict[str, str]]]:
    """Each subject with the URLs that give its bytes by size, the control first."""
    links = {"1 MB": measured.small, "100 MB": measured.large}
    control = stack.enter_context(_nginx_alone(measured.site))
    yield CONTROL, {what: f"{control.origin}/{name}" for what, name in SIZES.items()}
    yield from _start_plain(measured.site, stack)
    for subject, (backend, serving) in APPLICATIONS.items():
        server = stack.enter_context(serving(measured.delivering(backend)))
        yield subject, {what: _end_of(server.origin + link) for what, link in links.items()}
    for subject, (backend, front) in FRONTS.items():
        for name, remembering in ((subject, False), (REMEMBERING.format(subject), True)):
            site = measured.delivering(backend, remembering=remembering)
            application = stack.enter_context(granian(site))
            server = stack.enter_context(front(site, application))
            yield name, {what: server.origin + link for what, link in links.items()}


def _start_plain(site: Site, stack: ExitStack) -> Iterator[tuple[str, dict[str, str]]]:
    """The same servers with an application that knows nothing of links."""
    origins = {}
    for name, serving in (("gunicorn", gunicorn), ("granian", granian)):
        server = stack.enter_context(serving(site, application=PLAIN_APPLICATION))
        origins[name] = f"{server.origin}/sent"
    for name, place, front in (
        ("nginx", "accel", web_servers.nginx),
        ("Apache", "sendfile", web_servers.apache),
    ):
        application = stack.enter_context(granian(site, application=PLAIN_APPLICATION))
        server = stack.enter_context(front(site, application))
        origins[name] = f"{server.origin}/{place}"
    for name, origin in origins.items():
        addresses = {what: f"{origin}/{file}" for what, file in SIZES.items()}
        yield PLAIN.format(name), addresses
        yield (
            PLAIN_COUNTED.format(name),
            {what: f"{url}?counted" for what, url in addresses.items()},
        )


def _end_of(link: str) -> str:
    """Where the bytes of ``link`` are: where it leads, or the link itself."""
    with closing(connect(link)) as connection:
        return str(urljoin(link, send(connection, "GET", link).headers["Location"] or ""))


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
