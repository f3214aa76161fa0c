"""Arguments that the commands share: users, datetimes, durations, files."""

import io
import os
import re
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TextIO

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.utils.dateparse import parse_date, parse_datetime

from directlinks.core.records import FORMATS, Format
from directlinks.core.uris import SITE
from directlinks.datetimes import as_stored
from directlinks.services.locating import user_keys
from directlinks.storage_errors import storage_error
from directlinks.users import users

_LIFE = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_CENTURY = timedelta(days=36525)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

OWNER = f"user name, or else primary key; {SITE} for the files of the site"


class StrictCommand(BaseCommand):
    """A command that takes its options in full: what looks like a part of one may be misspelt."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)


def add_dry_run(parser: ArgumentParser) -> None:
    """Add the option ``--dry-run``."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def user_named(name: str) -> Any:
    """Return the user with this username, or else with this key. Raise CommandError."""
    user = None
    if _is_text(name):
        user = users().filter(**{get_user_model().USERNAME_FIELD: name}).first()
        user = user or users().filter(pk__in=user_keys(name)).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}.")
    return user


def owner_named(name: str) -> Any:
    """Return the user with this name or key, or None for SITE. Raise CommandError."""
    return None if name == SITE else user_named(name)


def words(text: str) -> str:
    """Return ``text`` if a database can store it. For argparse."""
    if not _is_text(text):
        raise ArgumentTypeError(f"{text!r} holds bytes that are no text")
    return text


def _is_text(text: str) -> bool:
    """Return True if ``text`` has no byte that a shell passes on and no database takes."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def life(text: str) -> timedelta:
    """Return how long ``text``, such as 90m or 7d, lasts. For argparse."""
    match = _LIFE.fullmatch(text)
    found = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta(0)
    if not timedelta(0) < found <= _CENTURY:
        raise ArgumentTypeError(f"{text!r} is no time such as 30s, 90m, 12h, 7d or 2w")
    return found


def datetime_of(text: str) -> datetime:
    """Return the datetime in ``text``, ISO 8601, by default in the site's time zone. For argparse.

    A day alone is its beginning.
    """
    try:
        day = parse_date(text)
        found = datetime.combine(day, time.min) if isinstance(day, date) else parse_datetime(text)
        found = found and as_stored(found)
    except (ValueError, OverflowError):  # well-formed, but not in any calendar
        found = None
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no datetime such as 2026-12-31T18:00")
    return found


def days(text: str) -> timedelta:
    """Return a whole number of days. For argparse."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII):
        raise ArgumentTypeError(f"{text!r} is no number of days")
    return timedelta(days=int(text))


STANDARD = "-"


def add_file(parser: ArgumentParser, *, help_text: str) -> None:
    """Add arguments for a file, - for standard input or output, and its format."""
    parser.add_argument("file", metavar="FILE", nargs="?", default=STANDARD, help=help_text)
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        help="default: csv if FILE ends in .csv, else jsonl, one JSON object per line",
    )


def format_of(name: str, wanted: str | None) -> Format:
    """Return the format with the name ``wanted``, or else by the extension of ``name``."""
    return FORMATS[wanted or ("csv" if name.lower().endswith(".csv") else "jsonl")]


@contextmanager
def reading(name: str) -> Iterator[TextIO]:
    """Yield the file called ``name``, - for standard input, with its line ends unchanged."""
    if name == STANDARD:
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        try:
            yield lines
        finally:
            lines.detach()  # which would be closed with it
    else:
        # Spreadsheets put a mark in front of UTF-8.
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            yield file


@contextmanager
def replacing(name: str) -> Iterator[TextIO]:
    """Yield a new file that replaces ``name`` once it is complete.

    Only its owner can read it, because codes in it open files.
    """
    place = Path(name).resolve()
    if place.exists() and not place.is_file():  # a pipe, or a device
        with place.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    handle, scratch = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(scratch).replace(place)
    except BaseException:
        Path(scratch).unlink()
        raise


class Progress:
    """Progress of a command, on one line that the next one replaces. No output in a pipe.

    If ``data``, an output that must hold nothing else, is a terminal, nothing is written either.
    """

    def __init__(self, out: OutputWrapper, *, data: OutputWrapper | None = None) -> None:
        self._out = out
        self._shows = out.isatty() and not (data is not None and data.isatty())

    def show(self, line: str) -> None:
        if self._shows:
            # The error output would paint it red.
            self._out.write("\r\x1b[K" + printable(line), style_func=str, ending="")
            self._out.flush()

    def clear(self) -> None:
        self.show("")


@contextmanager
def interruptible(
    progress: Progress, sum_up: Callable[[], None], *, returncode: int = 1
) -> Iterator[None]:
    """Clear ``progress`` at the end. On Ctrl-C, print a summary and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        progress.clear()
        sum_up()
        message = "Interrupted. Run the same command again to go on."
        raise CommandError(message, returncode=returncode) from None
    except BaseException:
        progress.clear()
        raise
    progress.clear()


def confirmed(question: str, out: OutputWrapper) -> bool:
    """Return True if the user confirms, or if stdin is not a terminal."""
    if not sys.stdin.isatty():
        return True
    out.write(f"{printable(question)} [y/N] ", style_func=str, ending="")
    out.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def printable(text: str) -> str:
    """Return ``text`` with what a terminal cannot show, or would obey, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def explained(error: Exception) -> str:
    """Return what went wrong, in one line."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    # Python's own errors say which file they are about.
    meaning = None if type(error).__module__ == "builtins" else storage_error(error)
    return str(error) if meaning is None else meaning.cause


def dry(text: str, *, dry_run: bool) -> str:
    """Return ``text``, a summary of what was done, marked if this is a dry run."""
    return text + (" (dry run: nothing was changed)" if dry_run else "")
