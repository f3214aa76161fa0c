"""Redis servers of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.programs import needed
from tests.real.servers import free_port, running


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """The URL of a Redis that keeps in ``folder`` what it is told, if it is ended in peace."""
    port = port or free_port()
    listening = ["--bind", "127.0.0.1", "--port", str(port)]
    keeping = ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
    command = [needed("redis-server"), *listening, *keeping]
    with running(command, port, folder / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"
