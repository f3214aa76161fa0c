"""Processes that are killed between any two steps of what they do."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from redis import Connection

# What adding counts to the database does to the world, beside its statements.
STEPS: list[tuple[object, str]] = [
    (os, "ftruncate"),
    (os, "close"),
    (Path, "unlink"),
    (Connection, "send_packed_command"),
    (Connection, "read_response"),
    (connection, "_commit"),
]


class Steps:
    """Counts the steps of this process, each once before and once after it is done.

    At step number ``last`` the process is killed, as by the kernel when memory runs out.
    """

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.taken = 0

    def take(self) -> None:
        self.taken += 1
        os.kill(os.getpid(), signal.SIGKILL if self.taken == self.last else 0)

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.take()
            done = act(*args, **kwargs)
            self.take()
            return done

        return stepping

    def around_statement(self, execute: Callable[..., Any], *statement: Any) -> Any:
        return self.around(execute)(*statement)

    @contextmanager
    def counted(self) -> Iterator["Steps"]:
        with pytest.MonkeyPatch.context() as patch:
            for place, name in STEPS:
                patch.setattr(place, name, self.around(getattr(place, name)))
            with connection.execute_wrapper(self.around_statement):
                yield self


def steps_of(act: Callable[[], object]) -> int:
    """How many steps ``act`` takes, which is done here."""
    with Steps().counted() as steps:
        act()
    connection.close()
    return steps.taken


def killed_at(last: int, act: Callable[[], object]) -> bool:
    """Whether a process that does ``act`` was killed at its step ``last``, or had fewer steps."""
    process = forked(lambda: _step_to(last, act))
    process.join()
    return bool(process.exitcode == -signal.SIGKILL)


def _step_to(last: int, act: Callable[[], object]) -> None:
    with Steps(last).counted():
        act()


def forked(act: Callable[[], object]) -> Any:
    """A process that does ``act`` with all that this one has, but its threads and connections."""
    connection.close()
    process = multiprocessing.get_context("fork").Process(target=act)
    process.start()
    return process
