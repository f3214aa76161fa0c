from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from directlinks.datetimes import as_stored
from directlinks.models import DailyDownloads, DirectLink
from directlinks.services.statistics import (
    DAYS,
    downloads_by_day,
    last_days,
    link_statistics,
    most_downloaded,
    total_by_day,
)
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 4)
# The site of the tests is in Shanghai, where it is the fifth of May already.
NOW = as_stored(datetime(2026, 5, 4, 18, tzinfo=UTC))


def opened(link: DirectLink, ago: int, downloads: int) -> None:
    day = TODAY - timedelta(days=ago)
    DailyDownloads.objects.create(link=link, day=day, downloads=downloads)


def test_the_last_days_end_with_today() -> None:
    assert last_days(TODAY, 2) == [date(2026, 5, 3), TODAY]
    assert len(last_days(TODAY)) == DAYS


def test_each_link_has_its_days_in_one_statement(django_assert_num_queries: Any) -> None:
    links = DirectLinkFactory.create_batch(3)
    opened(links[0], 0, 5)
    opened(links[0], DAYS - 1, 7)
    opened(links[0], DAYS, 100)
    opened(links[1], -1, 100)
    with django_assert_num_queries(1):
        counts = downloads_by_day([link.pk for link in links], today=TODAY)
    assert counts[links[0].pk] == [7, *[0] * (DAYS - 2), 5]
    assert counts[links[1].pk] == counts[links[2].pk] == [0] * DAYS


@pytest.mark.parametrize("everything", [True, False])
def test_the_total_is_of_the_links_that_are_meant(
    django_assert_num_queries: Any, everything: bool
) -> None:
    one, other = DirectLinkFactory.create_batch(2)
    opened(one, 0, 5)
    opened(other, 0, 10)
    opened(one, 2, 1)
    links = DirectLink.objects.all() if everything else DirectLink.objects.filter(pk=one.pk)
    with django_assert_num_queries(1):
        totals = total_by_day(links, today=TODAY)
    assert totals[-3:] == [1, 0, 15 if everything else 5]


def test_what_is_downloaded_most_comes_first(django_assert_num_queries: Any) -> None:
    few, many, none, hidden = DirectLinkFactory.create_batch(4)
    opened(few, 0, 5)
    opened(many, 0, 4)
    opened(many, 3, 4)
    opened(hidden, 0, 100)
    links = DirectLink.objects.exclude(pk=hidden.pk)
    with django_assert_num_queries(2):
        assert most_downloaded(links, today=TODAY, number=5) == [(many, 8), (few, 5)]
    assert most_downloaded(links, today=TODAY, number=1) == [(many, 8)]
    assert none not in dict(most_downloaded(DirectLink.objects.all(), today=TODAY, number=9))


def test_days_without_downloads_are_there_too(django_assert_num_queries: Any) -> None:
    link = DirectLinkFactory(downloads=20, last_opened_at=NOW)
    for day, downloads in [(1, 9), (3, 2), (5, 4), (6, 1)]:
        DailyDownloads.objects.create(link=link, day=date(2026, 5, day), downloads=downloads)
    DailyDownloads.objects.create(link=DirectLinkFactory(), day=date(2026, 5, 4), downloads=7)
    with django_assert_num_queries(1):
        found = link_statistics(link, days=4, now=NOW)
    assert list(found.days.items()) == [
        (date(2026, 5, 2), 0),
        (date(2026, 5, 3), 2),
        (date(2026, 5, 4), 0),
        (date(2026, 5, 5), 4),
    ]
    assert (found.total, found.last_opened_at) == (20, NOW)


def test_one_day_is_today() -> None:
    assert link_statistics(DirectLinkFactory(), days=1, now=NOW).days == {date(2026, 5, 5): 0}
