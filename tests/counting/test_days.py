"""Days and moments of the site's time zone."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone as site_time
from pytest_django.fixtures import Settings

from directlinks.counting.days import day_of, moment_of

LATE = datetime(2026, 5, 4, 20, tzinfo=UTC)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-11)), ZoneInfo("Asia/Tokyo")])
def test_a_day_is_the_sites_whatever_the_visitors(zone: timezone) -> None:
    with site_time.override("America/New_York"):
        assert day_of(LATE.astimezone(zone)) == date(2026, 5, 5)


def test_seconds_are_a_moment_of_the_site() -> None:
    moment = moment_of(int(LATE.timestamp()))
    assert moment == LATE
    assert moment.utcoffset() == timedelta(hours=8)


def test_a_site_without_time_zones_has_naive_ones(settings: Settings) -> None:
    settings.USE_TZ = False
    moment = moment_of(int(LATE.timestamp()))
    assert moment == datetime(2026, 5, 5, 4)  # noqa: DTZ001
    assert day_of(moment) == date(2026, 5, 5)
