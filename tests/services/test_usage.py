from datetime import date, timedelta
from typing import Any

import pytest

from directlinks.models import DailyDownloads, DirectLink
from directlinks.services.usage import (
    DAYS,
    downloads_by_day,
    last_days,
    most_downloaded,
    total_by_day,
)
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 4)


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
