"""What commands are given, as text."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from directlinks.management.arguments import days, life, moment


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
    assert moment(text) == found


def test_days_are_a_whole_number() -> None:
    assert days("0") == timedelta(0)
    assert days("400") == timedelta(days=400)


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (life, ["", "7", "d", "0d", "-1d", "1.5h", "7D", "\u0667d", "999999w", "1y"]),
        (moment, ["", "tomorrow", "2026-13-01", "2026-02-30T10:00", "12:00"]),
        (days, ["", "-1", "1.5", "\u0667", "a", "100000"]),
    ],
)
def test_anything_else_is_refused(read: Callable[[str], Any], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ArgumentTypeError, match="is no"):
            read(text)
