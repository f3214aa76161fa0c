"""Datetimes on any site: with USE_TZ or without it, by clocks that show one hour twice in autumn.

A site with USE_TZ stores aware datetimes, in UTC; a site without it stores naive ones, as its own
clocks show them. Each function here takes both kinds. A naive one always means the clocks of the
site, TIME_ZONE; it cannot say which of two equal hours it means, and is taken for the first.
"""

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache

from django.conf import settings
from django.utils import timezone

from directlinks.core.validators import is_near


def in_utc(moment: datetime) -> datetime:
    """Return ``moment`` as an aware datetime in UTC."""
    if moment.tzinfo is None:
        # PostgreSQL means the second of two equal hours, and says so in what is read from it.
        moment = moment.replace(tzinfo=timezone.get_default_timezone(), fold=0)
    return moment.astimezone(UTC)


def as_stored(moment: datetime) -> datetime:
    """Return ``moment`` as the models of this site store it.

    Raise OverflowError at the edges of the calendar.
    """
    if settings.USE_TZ:
        return in_utc(moment)
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(timezone.get_default_timezone()).replace(tzinfo=None)


def as_clock(moment: datetime) -> datetime:
    """Return the naive time that the clocks of this page show at ``moment``."""
    return moment if moment.tzinfo is None else timezone.make_naive(moment)


def from_clock(clock: datetime) -> datetime:
    """Return the moment, as the models store it, at which the clocks first show ``clock``."""
    return timezone.make_aware(clock.replace(fold=0)) if settings.USE_TZ else clock


def is_skipped(clock: datetime) -> bool:
    """Return True if the clocks of this page are put forward over ``clock``, and never show it."""
    if not is_near(clock):
        return False
    zone = timezone.get_current_timezone()
    moment = clock.replace(tzinfo=zone).astimezone(UTC)
    return moment.astimezone(zone).replace(tzinfo=None) != clock


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` in UTC, as the API and exports write it."""
    return in_utc(moment).isoformat().replace("+00:00", "Z")


def seconds_of(moment: datetime) -> float:
    """Return the Unix time of ``moment``."""
    return moment.timestamp() if moment.tzinfo else in_utc(moment).timestamp()


def from_timestamp(seconds: float) -> datetime:
    """Return the moment of this Unix time, as the models store it."""
    return as_stored(datetime.fromtimestamp(seconds, UTC))


def day_of(moment: datetime) -> date:
    """Return the day of ``moment`` in the site's time zone, not in that of a visitor."""
    if moment.tzinfo is None:
        return moment.date()
    return _day_at(int(moment.timestamp()), timezone.get_default_timezone())


# Every visit asks, and thousands of them come in the same second.
@lru_cache(maxsize=16)
def _day_at(seconds: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(seconds, zone).date()
