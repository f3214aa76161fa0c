"""How a link is used, day by day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from directlinks.counting.days import day_of
from directlinks.models import DirectLink


@dataclass(frozen=True, slots=True)
class Statistics:
    """``total`` is of the link's whole life; ``days`` are downloads by day, the oldest first."""

    total: int
    last_opened_at: datetime | None
    days: dict[date, int]


def statistics(link: DirectLink, *, days: int, now: datetime) -> Statistics:
    """What ``link`` was used on each of the last ``days`` days, today included. One statement.

    A day is one of the site's default time zone, whoever asks.
    """
    today = day_of(now)
    window = [today - timedelta(days=ago) for ago in reversed(range(days))]
    rows = link.days.filter(day__gte=window[0], day__lte=today).values_list("day", "downloads")
    counted = dict(rows)
    return Statistics(
        total=link.downloads,
        last_opened_at=link.last_opened_at,
        days={day: counted.get(day, 0) for day in window},
    )
