"""Real servers: started on a free port of 127.0.0.1, ended by their own process id."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.real.programs import needed
from tests.real.sites import Site
from tests.real.visitors import PATIENCE, ask


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; ``pid`` is the process that was started, its workers are its children."""

    origin: str
    pid: int

    def processes(self) -> list[Path]:
        """Where the kernel tells of the server and of all below it (Linux alone has this)."""
        processes = [Path("/proc", str(self.pid))]
        for process in processes:
            children = (process / "task" / process.name / "children").read_text().split()
            processes += [Path("/proc", child) for child in children]
        return processes

    def open_files(self) -> list[str]:
        """The path of each file that the server and its workers have open, once for each time."""
        paths = []
        for descriptor in (entry for process in self.processes() for entry in process.glob("fd/*")):
            with suppress(FileNotFoundError):  # closed since it was listed
                paths.append(str(descriptor.readlink()))
        return paths


@contextmanager
def gunicorn(
    site: Site,
    *,
    workers: int = 1,
    threads: int = 4,
    application: str = "mysite.wsgi:application",
    grace: int = 1,
    worker_class: str = "gthread",
) -> Iterator[Server]:
    """``site`` under gunicorn, the server that most WSGI sites run on.

    ``grace`` is for how many seconds a worker that ends waits for its requests. Those that take
    longer write one byte into a file descriptor that gunicorn has closed, which is a database's if
    SQLite opens a file meanwhile.
    """
    options = ["--worker-class", worker_class, "--graceful-timeout", str(grace)]
    scale = ["--workers", str(workers)]
    if worker_class == "gthread":  # another class with threads becomes this one
        scale += ["--threads", str(threads)]
    with _listener() as listener:
        bind = ["--bind", f"fd://{listener.fileno()}"]
        command = ["gunicorn", *options, *scale, *bind, application]
        with _serving(site, command, listener) as server:
            yield server


@contextmanager
def uvicorn(site: Site, *, application: str = "mysite.asgi:application") -> Iterator[Server]:
    """``site`` under uvicorn, as an ASGI site."""
    options = ["--timeout-graceful-shutdown", "1", "--lifespan", "off"]
    with _listener() as listener:
        command = ["uvicorn", *options, "--fd", str(listener.fileno()), application]
        with _serving(site, command, listener) as server:
            yield server


@contextmanager
def granian(
    site: Site,
    *,
    application: str = "mysite.wsgi:application",
    threads: int = 4,
    workers: int = 1,
) -> Iterator[Server]:
    """``site`` under granian, as a WSGI site."""
    port = free_port()
    options = ["--interface", "wsgi", "--port", str(port), "--no-ws"]
    scale = ["--blocking-threads", str(threads), "--workers", str(workers)]
    command = [sys.executable, "-m", "granian", *options, *scale, application]
    log = site.folder.parent / f"granian-{port}.log"
    with running(command, port, log, cwd=site.folder, environment=site.environment) as server:
        yield server


@contextmanager
def hypercorn(site: Site, *, application: str = "mysite.asgi:application") -> Iterator[Server]:
    """``site`` under hypercorn, as an ASGI site."""
    with _listener() as listener:
        command = ["hypercorn", "--graceful-timeout", "1", "--bind", f"fd://{listener.fileno()}"]
        with _serving(site, [*command, application], listener) as server:
            yield server


@contextmanager
def daphne(site: Site, *, application: str = "mysite.asgi:application") -> Iterator[Server]:
    """``site`` under daphne, as an ASGI site."""
    with _listener() as listener:
        command = ["daphne", "--fd", str(listener.fileno()), "--no-server-name", application]
        with _serving(site, command, listener) as server:
            yield server


@contextmanager
def waitress(site: Site, *, application: str = "mysite.wsgi:application") -> Iterator[Server]:
    """``site`` under waitress, as a WSGI site."""
    port = free_port()
    command = [sys.executable, "-m", "waitress", "--listen", f"127.0.0.1:{port}", application]
    log = site.folder.parent / f"waitress-{port}.log"
    with running(command, port, log, cwd=site.folder, environment=site.environment) as server:
        yield server


@contextmanager
def uwsgi(site: Site, *, application: str = "mysite.wsgi:application") -> Iterator[Server]:
    """``site`` under uWSGI, which keeps connections of HTTP/1.1."""
    port = free_port()
    options = ["--http11-socket", f"127.0.0.1:{port}", "--master", "--die-on-term"]
    command = [needed("uwsgi"), *options, "--threads", "4", "--home", sys.prefix]
    log = site.folder.parent / f"uwsgi-{port}.log"
    command += ["--module", application]
    with running(command, port, log, cwd=site.folder, environment=site.environment) as server:
        yield server


def free_port() -> int:
    """A port for a server that can only open its own."""
    with _listener() as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(
    command: list[str],
    port: int,
    log: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """The server that ``command`` starts in the foreground, once it listens on ``port``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            give_up_at = time.monotonic() + PATIENCE
            while not _listens(port):
                assert process.poll() is None, f"{command} ended: {log.read_text()}"
                assert time.monotonic() < give_up_at, f"{command} does not come up."
                time.sleep(0.02)
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait(timeout=20)
            sys.stdout.write(f"--- {log.name}\n{log.read_text(errors='replace')}")


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _listener() -> socket.socket:
    # The server inherits the socket, so nobody else can take the port before it is up.
    return socket.create_server(("127.0.0.1", 0), backlog=128)


@contextmanager
def _serving(site: Site, command: list[str], listener: socket.socket) -> Iterator[Server]:
    host, port = listener.getsockname()
    log = site.folder.parent / f"{command[0]}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=site.folder,
            env=site.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
        )
        # Now the port is the server's alone: if it dies, whoever waits for it is told so.
        listener.close()
        server = Server(f"http://{host}:{port}", process.pid)
        try:
            # Whoever connects before the server is up waits in the queue of the socket.
            ask("GET", f"{server.origin}/f/")
            yield server
        finally:
            process.terminate()
            process.wait(timeout=20)
            # pytest shows this where the test fails, and swallows it where it does not.
            sys.stdout.write(f"--- log of {command[0]}\n{log.read_text(errors='replace')}")
