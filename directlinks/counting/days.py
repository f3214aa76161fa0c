"""The day on which a download is counted, and the moment that a number of seconds stands for."""

from datetime import date, datetime, tzinfo
from functools import lru_cache

from django.utils import timezone


def day_of(now: datetime) -> date:
    """The day of ``now`` in the site's own time zone, whatever that of a visitor is."""
    if timezone.is_naive(now):
        return now.date()
    return _day_at(int(now.timestamp()), timezone.get_default_timezone())


# Every visit asks, and thousands of them come in the same second.
@lru_cache(maxsize=16)
def _day_at(seconds: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(seconds, zone).date()


def moment_of(seconds: int) -> datetime:
    """The moment of these unix seconds, without a time zone where the site uses none."""
    moment = datetime.fromtimestamp(seconds, timezone.get_default_timezone())
    return moment.replace(tzinfo=None) if timezone.is_naive(timezone.now()) else moment
