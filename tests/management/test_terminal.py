"""What commands say, and to whom."""

import os
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper

from directlinks.management.terminal import (
    Progress,
    confirmed,
    dry,
    explained,
    interruptible,
    printable,
)
from tests.management.terminals import Terminal, real_terminal, typing


def test_a_real_terminal_shows_progress_on_one_line() -> None:
    with real_terminal("w") as (screen, file):
        progress = Progress(OutputWrapper(file))
        progress.show("one")
        progress.show("two\n")
        progress.clear()
        written = b"\r\x1b[Kone\r\x1b[Ktwo\\n\r\x1b[K"
        assert b"".join(os.read(screen, 1) for _ in written) == written


@pytest.mark.parametrize(
    ("out", "data", "shown"),
    [
        (Terminal, StringIO, "\r\x1b[Kone"),
        (Terminal, Terminal, ""),
        (StringIO, StringIO, ""),
    ],
)
def test_data_is_left_alone(out: Any, data: Any, shown: str) -> None:
    wrapped = OutputWrapper(out())
    wrapped.style_func = lambda text: f"red {text}"
    Progress(wrapped, data=OutputWrapper(data())).show("one")
    assert wrapped._out.getvalue() == shown  # type: ignore[attr-defined]  # Django's own


def test_an_interrupt_ends_with_a_sum() -> None:
    out = OutputWrapper(Terminal())
    with (
        pytest.raises(CommandError, match="Run the same command again"),
        interruptible(Progress(out), lambda: out.write("sum")),
    ):
        raise KeyboardInterrupt
    assert out._out.getvalue() == "\r\x1b[Ksum\n"  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize(
    ("answer", "yes"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False)]
)
def test_whoever_sits_at_the_terminal_is_asked(
    answer: str, yes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = StringIO()
    with typing(answer, monkeypatch):
        assert confirmed("Go on?", OutputWrapper(out)) is yes
    assert out.getvalue() == "Go on? [y/N] "


def test_nobody_is_asked_where_nobody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    out = StringIO()
    assert confirmed("Go on?", OutputWrapper(out))
    assert out.getvalue() == ""


def test_what_a_terminal_would_obey_is_shown_as_escapes() -> None:
    assert printable("ä \x1b[2J\udcff\n") == "ä \\x1b[2J\\udcff\\n"


def test_a_dry_run_says_that_it_was_one() -> None:
    assert dry("1 gone.", dry_run=True) == "1 gone. (dry run: nothing was changed)"
    assert dry("1 gone.", dry_run=False) == "1 gone."


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValidationError({"path": ["Taken."], "content": ["Gone."]}), "Taken. Gone."),
        (ValidationError("Taken."), "Taken."),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
    ],
)
def test_an_error_is_explained_in_one_line(error: Any, line: str) -> None:
    assert explained(error) == line
