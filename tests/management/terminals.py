"""Terminals, and those who sit at them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def said(command: str, *args: object, into: StringIO | None = None) -> str:
    """What ``command`` with these arguments writes on its output."""
    out = StringIO() if into is None else into
    call_command(command, *map(str, args), stdout=out, no_color=True)
    return out.getvalue()


@contextmanager
def real_terminal(mode: str) -> Iterator[tuple[int, Any]]:
    """Both ends of a pseudo terminal: ours to type and to look, and a program's as a file."""
    ours, theirs = os.openpty()
    try:
        with os.fdopen(theirs, mode, encoding="utf-8") as file:
            yield ours, file
    finally:
        os.close(ours)


@contextmanager
def typing(text: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With ``text`` typed at the terminal that is the standard input."""
    with real_terminal("r") as (keyboard, file), monkeypatch.context() as patched:
        os.write(keyboard, text.encode())
        patched.setattr(sys, "stdin", file)
        yield


@contextmanager
def interrupted(table: str, verb: str, *, after: int = 0) -> Iterator[None]:
    """Ctrl-C at the statement that does ``verb`` to ``table`` for the ``after`` + 1st time."""
    seen = 0

    def execute(run: Any, sql: str, *rest: Any) -> Any:
        nonlocal seen
        if sql.startswith(verb) and table in sql:
            seen += 1
            if seen > after:
                raise KeyboardInterrupt
        return run(sql, *rest)

    with connection.execute_wrapper(execute):
        yield
