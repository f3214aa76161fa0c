"""What the commands are given: users, moments, times that something lasts."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from directlinks.datetimes import as_stored
from directlinks.services.locating import user_keys
from directlinks.users import users

_LIFE = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_CENTURY = timedelta(days=36525)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

OWNER = "user name, or else primary key"


class StrictCommand(BaseCommand):
    """A command that takes its options in full: what looks like a part of one may be misspelt."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)


def add_dry_run(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def user_named(name: str) -> Any:
    """The user of this name, or else with this key. Raises CommandError."""
    user = None
    if _is_text(name):
        user = users().filter(**{get_user_model().USERNAME_FIELD: name}).first()
        user = user or users().filter(pk__in=user_keys(name)).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}.")
    return user


def words(text: str) -> str:
    """``text``, which a database can hold. For argparse."""
    if not _is_text(text):
        raise ArgumentTypeError(f"{text!r} holds bytes that are no text")
    return text


def _is_text(text: str) -> bool:
    """Whether ``text`` has none of the bytes that a shell passes on and no database takes."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def life(text: str) -> timedelta:
    """How long ``text``, such as 90m or 7d, lasts. For argparse."""
    match = _LIFE.fullmatch(text)
    found = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta(0)
    if not timedelta(0) < found <= _CENTURY:
        raise ArgumentTypeError(f"{text!r} is no time such as 30s, 90m, 12h, 7d or 2w")
    return found


def moment(text: str) -> datetime:
    """The moment ``text``, in ISO 8601; in the site's time zone where it names none. For argparse.

    A day alone is its first moment.
    """
    try:
        day = parse_date(text)
        found = datetime.combine(day, time.min) if isinstance(day, date) else parse_datetime(text)
        found = found and as_stored(found)
    except (ValueError, OverflowError):  # well-formed, but not in any calendar
        found = None
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no moment such as 2026-12-31T18:00")
    return found


def days(text: str) -> timedelta:
    """A whole number of days. For argparse."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII):
        raise ArgumentTypeError(f"{text!r} is no number of days")
    return timedelta(days=int(text))
