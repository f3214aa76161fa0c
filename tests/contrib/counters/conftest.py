"""Counters that count outside the database, each in a place of its own."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from directlinks.contrib.counters.deferred import DeferredCounter
from directlinks.contrib.counters.journal import JournalCounter
from directlinks.contrib.counters.redis import RedisCounter
from tests.real.redis_servers import redis_server

NewCounter = Callable[[], DeferredCounter]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def journal(tmp_path: Path, closed: Callable[[Any], Any]) -> Callable[[], JournalCounter]:
    """Makes counters in the same directory: each as good as a process of its own."""
    folder = tmp_path / "counts"
    folder.mkdir()
    return lambda: closed(JournalCounter(folder))


@pytest.fixture
def redis(redis_url: str, closed: Callable[[Any], Any]) -> Callable[[], RedisCounter]:
    """Makes counters with the same keys in the same Redis."""
    prefix = secrets.token_hex(8)
    return lambda: closed(RedisCounter(redis_url, prefix))


@pytest.fixture(params=["journal", "redis"])
def new_counter(request: pytest.FixtureRequest) -> NewCounter:
    """Makes counters that share all they have, of either kind."""
    make: NewCounter = request.getfixturevalue(request.param)
    return make


@pytest.fixture
def closed() -> Iterator[Callable[[Any], Any]]:
    """Takes a counter to close at the end."""
    with ExitStack() as stack:
        yield lambda counter: stack.enter_context(closing(counter))


@pytest.fixture
def unshared_connection(transactional_db: None) -> None:
    """No open connection that a fork would share with its parent."""
    connection.close()
