"""Naive and aware datetimes, by clocks that show one hour twice and leave one out."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone as site_time
from pytest_django.fixtures import Settings

from directlinks.datetimes import (
    as_clock,
    as_stored,
    day_of,
    from_clock,
    from_timestamp,
    in_utc,
    is_skipped,
    rfc3339,
    seconds_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
# By the clocks of Berlin, 02:30 comes twice in the night in which summer ends.
FIRST = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
SECOND = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
CLOCK = datetime(2027, 10, 31, 2, 30)  # noqa: DTZ001
SKIPPED = datetime(2027, 3, 28, 2, 30)  # noqa: DTZ001
MOMENTS = [FIRST, SECOND, FIRST.astimezone(BERLIN), SECOND.astimezone(BERLIN), CLOCK, SKIPPED]


@pytest.fixture(params=[True, False], ids=["aware", "naive"])
def use_tz(request: pytest.FixtureRequest, settings: Settings) -> bool:
    settings.TIME_ZONE = "Europe/Berlin"
    settings.USE_TZ = aware = bool(request.param)
    return aware


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_kind_is_stored_and_shown_on_every_site(moment: datetime, use_tz: bool) -> None:
    stored = as_stored(moment)
    assert (stored.tzinfo is UTC) is use_tz
    assert (stored.tzinfo is None) is not use_tz
    # Comparing raises TypeError if one is naive and the other is not.
    assert stored <= as_stored(datetime(2030, 1, 1, tzinfo=UTC))
    assert as_stored(in_utc(stored)) == stored or moment is SKIPPED
    assert rfc3339(moment) == in_utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert seconds_of(moment) == in_utc(moment).timestamp()
    assert from_timestamp(seconds_of(moment)) == as_stored(in_utc(moment))
    assert day_of(stored) == stored.astimezone(BERLIN).date()
    assert as_clock(stored).tzinfo is None


def test_of_two_equal_hours_a_clock_means_the_first(use_tz: bool) -> None:
    assert in_utc(CLOCK) == FIRST
    assert in_utc(from_clock(CLOCK)) == FIRST
    assert [as_clock(as_stored(moment)) for moment in (FIRST, SECOND)] == [CLOCK, CLOCK]


@pytest.mark.parametrize(
    ("clock", "skipped"),
    [
        (CLOCK, False),
        (SKIPPED, True),
        (SKIPPED + timedelta(hours=1), False),
        (datetime.min, False),  # noqa: DTZ901
        (datetime.max, False),  # noqa: DTZ901
    ],
)
def test_an_hour_that_does_not_exist_is_known(clock: datetime, skipped: bool, use_tz: bool) -> None:
    assert is_skipped(clock) is skipped


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-11)), ZoneInfo("Asia/Tokyo")])
def test_a_day_is_the_sites_whatever_the_visitors(zone: timezone, settings: Settings) -> None:
    settings.TIME_ZONE, settings.USE_TZ = "Asia/Shanghai", True
    late = datetime(2026, 5, 4, 20, tzinfo=UTC)
    with site_time.override("America/New_York"):
        assert day_of(late.astimezone(zone)) == date(2026, 5, 5)
