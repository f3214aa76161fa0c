"""Validators of settings.

Each returns None for a valid value, or what is wrong as the end of a sentence: "must be …".
"""

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

from directlinks.core import content_types

Validator = Callable[[object], str | None]


def whole_number(least: int, most: int | None = None) -> Validator:
    """Return a validator of whole numbers from ``least`` to ``most``."""
    to = "" if most is None else f" and at most {most}"

    def validate(value: object) -> str | None:
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and value >= least
            and (most is None or value <= most)
        ):
            return None
        return f"must be a whole number of at least {least}{to}"

    return validate


def life(value: object) -> str | None:
    """Validate None, a positive number of seconds or a positive timedelta."""
    whole_seconds = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if value is None or whole_seconds or (isinstance(value, timedelta) and value > timedelta(0)):
        return None
    return "must be None, a number of seconds or a timedelta, in either case above zero"


GROUP_LIMITS = {"MAX_LIFE", "MAX_DOWNLOADS"}


def group_limits(value: object) -> str | None:
    """Validate a dict of limits by the name of a group."""
    if isinstance(value, dict) and all(
        isinstance(name, str)
        and isinstance(limits, dict)
        and limits.keys() <= GROUP_LIMITS
        and life(limits.get("MAX_LIFE")) is None
        and whole_number(1)(limits.get("MAX_DOWNLOADS", 1)) is None
        for name, limits in value.items()
    ):
        return None
    return 'must be a dict like {"group": {"MAX_LIFE": 86400, "MAX_DOWNLOADS": 100}}'


COUNTERS = ("database", "journal", "redis")


def counter(value: object) -> str | None:
    """Validate the name of a counter, a dotted path or a dict with BACKEND and OPTIONS."""
    if isinstance(value, dict) and value.get("BACKEND") in COUNTERS:
        value = {**value, "BACKEND": "known.by.name"}
    if value in COUNTERS or _is_backend(value) or dotted_path(value) is None:
        return None
    return (
        "must be 'database', the dotted path of a class or a dict like "
        '{"BACKEND": "journal", "OPTIONS": {"directory": "/var/lib/site/counts"}}'
    )


def truth(value: object) -> str | None:
    """Validate a boolean."""
    return None if isinstance(value, bool) else "must be True or False"


def dotted_path(value: object) -> str | None:
    """Validate a dotted path."""
    if isinstance(value, str) and re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", value):
        return None
    return "must be a dotted path like 'package.module.name'"


def alphabet(value: object) -> str | None:
    """Validate an alphabet of codes: two or more different letters, digits, - or _."""
    if (
        isinstance(value, str)
        and len(set(value)) == len(value) >= 2
        and re.fullmatch(r"[0-9A-Za-z_-]+", value)
    ):
        return None
    return "must be a string of two or more different letters, digits, - or _"


def _is_origin(value: object, *, with_path: bool) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    extras = parts.query or parts.fragment or "@" in parts.netloc
    path_is_right = with_path or not parts.path
    return bool(
        parts.scheme in ("http", "https") and parts.hostname and path_is_right and not extras
    )


def base_url(value: object) -> str | None:
    """Validate None, an address or a list of them, or the dotted path of a callable."""
    several = value if isinstance(value, list | tuple) and value else [value]
    if value is None or all(_is_origin(item, with_path=True) for item in several):
        return None
    if isinstance(value, str) and dotted_path(value) is None:
        return None
    return (
        "must be None, an address like 'https://files.example.org' without a query, "
        "a list of such, or the dotted path of a callable"
    )


def cors(value: object) -> str | None:
    """Validate "off", "*" or a list of origins."""
    if value in ("off", "*"):
        return None
    if isinstance(value, list | tuple) and all(_is_origin(item, with_path=False) for item in value):
        return None
    return "must be 'off', '*' or a list of origins like 'https://app.example.org'"


def strings(value: object) -> str | None:
    """Validate a list of strings that are not empty."""
    if isinstance(value, list | tuple | set | frozenset) and all(
        isinstance(item, str) and item for item in value
    ):
        return None
    return "must be a list of strings, none of them empty"


def hosts(value: object) -> str | None:
    """Validate None or a list of hosts."""
    return None if value is None or strings(value) is None else "must be None or a list of hosts"


def types(value: object) -> str | None:
    """Validate a list of content types."""
    if strings(value) is None and all("/" in item for item in cast("list[str]", value)):
        return None
    return "must be a list of content types like 'image/png' or 'video/*'"


def content_types_by_extension(value: object) -> str | None:
    """Validate a dict of content types by file extension."""
    if isinstance(value, dict) and all(
        isinstance(extension, str)
        and re.fullmatch(r"\.[^./A-Z]+", extension)
        and isinstance(content_type, str)
        and content_types.is_well_formed(content_type)
        for extension, content_type in value.items()
    ):
        return None
    return 'must be a dict of content types by lower-case extension like {".step": "model/step"}'


def delivery(value: object) -> str | None:
    """Validate None, a delivery backend, or a dict of backends by storage alias."""
    choices = value.values() if isinstance(value, dict) and "BACKEND" not in value else [value]
    if value is None or all(map(_is_backend, choices)):
        return None
    return (
        'must be None, a dict like {"BACKEND": "dotted.path.of.a.class", "OPTIONS": {…}}, '
        "or a dict of such dicts by storage alias"
    )


def _is_backend(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"BACKEND", "OPTIONS"}
        and dotted_path(value.get("BACKEND")) is None
        and isinstance(value.get("OPTIONS", {}), dict)
    )


def rate(value: object) -> str | None:
    """Validate None or a rate such as "30/min"."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(
        r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)", value
    ):
        return None
    return "must be None or a rate like '10/min' (per s, min, hour or day)"


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_rate(rate: str) -> tuple[int, int]:
    """Return the number and the seconds of a rate: ``(30, 60)`` for ``30/min``."""
    number, _, period = rate.partition("/")
    return int(number), _SECONDS[period[0]]


def is_near(moment: datetime) -> bool:
    """Return True if every time zone can show this datetime: not in the first and last years."""
    near = MINYEAR < moment.year < MAXYEAR
    if near and moment.tzinfo is not None:
        near = MINYEAR < moment.astimezone(UTC).year < MAXYEAR
    return near
