"""The thread that folds."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from directlinks.contrib.counters import deferred
from directlinks.contrib.counters.deferred import FlushThread

PATIENCE = 30


class Work:
    """What a repetition does: it waits for no one, and raises what it is told to."""

    def __init__(self) -> None:
        self.done = threading.Semaphore(0)
        self.error: Exception | None = None
        self.connections: list[object] = []

    def __call__(self) -> None:
        self.done.release()
        if self.error is not None:
            raise self.error

    def wait(self) -> None:
        assert self.done.acquire(timeout=PATIENCE)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 0.01)
    return Work()


@pytest.fixture
def repetition(work: Work) -> Iterator[FlushThread]:
    repetition = FlushThread(work, "It waits")
    yield repetition
    repetition.stop()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "directlinks"]


def test_nothing_is_done_until_it_is_started(repetition: FlushThread) -> None:
    assert threads() == []


def test_it_is_done_again_and_again_in_one_thread(repetition: FlushThread, work: Work) -> None:
    repetition.start()
    repetition.start()
    for _ in range(3):
        work.wait()
    (thread,) = threads()
    assert thread.daemon


def test_many_who_start_it_at_once_start_one(repetition: FlushThread) -> None:
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        repetition.start()

    starters = [threading.Thread(target=begin) for _ in range(8)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(threads()) == 1


def test_it_ends_and_begins_again(repetition: FlushThread, work: Work) -> None:
    repetition.start()
    work.wait()
    repetition.stop()
    assert threads() == []
    repetition.stop()
    work.done = threading.Semaphore(0)
    repetition.start()
    work.wait()


def test_no_error_ends_it_and_the_log_says_it_once(
    repetition: FlushThread, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    work.error = ValueError("no good")
    repetition.start()
    for _ in range(3):
        work.wait()
    repetition.stop()
    (record,) = caplog.records
    assert record.getMessage() == "It waits: no good"
    assert record.exc_info is not None


def test_where_no_thread_can_be_had_the_next_one_tries_again(
    repetition: FlushThread,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        repetition.start()
    assert "It waits: can't start new thread" in caplog.text
    repetition.start()
    work.wait()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("age", "connected"), [(0, 2), (None, 1)])
def test_its_connection_to_the_database_is_kept_as_the_site_wants_and_closed_at_the_end(
    work: Work, age: int | None, connected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", age)
    opened: list[Any] = []
    wrappers: list[Any] = []

    def ask() -> None:
        connection.ensure_connection()
        assert connection.connection is not None
        if connection.connection not in opened:
            opened.append(connection.connection)
        wrappers.append(connections["default"])
        work()

    repetition = FlushThread(ask, "It waits")
    repetition.start()
    for _ in range(2):
        work.wait()
    repetition.stop()
    assert min(len(opened), 2) == connected
    assert wrappers[-1].connection is None
