"""Statistics of links: downloads by day, and the links with most downloads."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Sum

from directlinks.datetimes import day_of
from directlinks.models import DailyDownloads, DirectLink
from directlinks.querysets import DirectLinkQuerySet, is_everything

DAYS = 30


@dataclass(frozen=True, slots=True)
class Statistics:
    """``total`` is of the link's whole life; ``days`` are downloads by day, the oldest first."""

    total: int
    last_opened_at: datetime | None
    days: dict[date, int]


def last_days(today: date, number: int = DAYS) -> list[date]:
    """Return ``number`` days, the last of which is ``today``."""
    return [today - timedelta(days=ago) for ago in reversed(range(number))]


def link_statistics(link: DirectLink, *, days: int, now: datetime) -> Statistics:
    """Return the downloads of ``link`` on each of the last ``days`` days, today included.

    One statement. A day is one of the site's default time zone, for every user.
    """
    window = last_days(day_of(now), days)
    counted = dict(
        link.days.may_lag()
        .filter(day__range=(window[0], window[-1]))
        .values_list("day", "downloads")
    )
    return Statistics(
        total=link.downloads,
        last_opened_at=link.last_opened_at,
        days={day: counted.get(day, 0) for day in window},
    )


def downloads_by_day(keys: Collection[Any], *, today: date) -> dict[Any, list[int]]:
    """Return the downloads of the links with the primary keys ``keys`` on each of the last days.

    One statement for any number; a link that was never opened has a list of zeros.
    """
    place = {day: number for number, day in enumerate(last_days(today))}
    counts = {key: [0] * DAYS for key in keys}
    days = DailyDownloads.objects.may_lag()
    known = days.filter(link__in=list(keys), day__range=(min(place), today))
    for link, day, downloads in known.values_list("link", "day", "downloads"):
        counts[link][place[day]] = downloads
    return counts


def total_by_day(links: DirectLinkQuerySet, *, today: date) -> list[int]:
    """Return the downloads of all ``links`` together on each of the last days. One statement."""
    days = last_days(today)
    sums = _days_of(links, days).values("day").annotate(total=Sum("downloads"))
    totals = dict(sums.order_by().values_list("day", "total"))
    return [totals.get(day, 0) for day in days]


def most_downloaded(
    links: DirectLinkQuerySet, *, today: date, number: int
) -> list[tuple[DirectLink, int]]:
    """Return the ``number`` of ``links`` with most downloads in the last days, and how many."""
    sums = _days_of(links, last_days(today)).values("link").annotate(total=Sum("downloads"))
    top = dict(sums.order_by("-total", "-link").values_list("link", "total")[:number])
    found = DirectLink.objects.may_lag().with_file().in_bulk(list(top))
    return [(found[key], total) for key, total in top.items() if key in found]


def _days_of(links: DirectLinkQuerySet, days: list[date]) -> Any:
    known = DailyDownloads.objects.may_lag().filter(day__range=(days[0], days[-1]))
    return known if is_everything(links) else known.filter(link__in=links.values("pk"))
