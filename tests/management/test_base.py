"""What commands are given, as text."""

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper

from directlinks.management.base import (
    Progress,
    confirmed,
    datetime_of,
    days,
    dry,
    explained,
    interruptible,
    life,
    printable,
)
from tests.management.terminals import Terminal, real_terminal, typing


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("90m", 5400), ("12h", 43200), ("7d", 604800), ("2w", 1209600)],
)
def test_a_time_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert life(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-12-31T18:00", datetime(2026, 12, 31, 10, tzinfo=UTC)),
        ("2026-12-31 18:00:01Z", datetime(2026, 12, 31, 18, 0, 1, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 30, 16, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_the_time_zone_of_the_site_unless_it_names_one(
    text: str, found: datetime
) -> None:
    assert datetime_of(text) == found


def test_days_are_a_whole_number() -> None:
    assert days("0") == timedelta(0)
    assert days("400") == timedelta(days=400)


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (life, ["", "7", "d", "0d", "-1d", "1.5h", "7D", "\u0667d", "999999w", "1y"]),
        (datetime_of, ["", "tomorrow", "2026-13-01", "2026-02-30T10:00", "12:00"]),
        (days, ["", "-1", "1.5", "\u0667", "a", "100000"]),
    ],
)
def test_anything_else_is_refused(read: Callable[[str], Any], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ArgumentTypeError, match="is no"):
            read(text)


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
