"""How a link is used, day by day."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from directlinks.models import DailyDownloads
from directlinks.services.statistics import statistics
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

# The site of the tests is in Shanghai, where it is the fifth of May already.
NOW = datetime(2026, 5, 4, 18, tzinfo=UTC)


def test_days_without_downloads_are_there_too(django_assert_num_queries: Any) -> None:
    link = DirectLinkFactory(downloads=20, last_opened_at=NOW)
    for day, downloads in [(1, 9), (3, 2), (5, 4), (6, 1)]:
        DailyDownloads.objects.create(link=link, day=date(2026, 5, day), downloads=downloads)
    DailyDownloads.objects.create(link=DirectLinkFactory(), day=date(2026, 5, 4), downloads=7)
    with django_assert_num_queries(1):
        found = statistics(link, days=4, now=NOW)
    assert list(found.days.items()) == [
        (date(2026, 5, 2), 0),
        (date(2026, 5, 3), 2),
        (date(2026, 5, 4), 0),
        (date(2026, 5, 5), 4),
    ]
    assert (found.total, found.last_opened_at) == (20, NOW)


def test_one_day_is_today() -> None:
    assert statistics(DirectLinkFactory(), days=1, now=NOW).days == {date(2026, 5, 5): 0}
