from datetime import UTC, datetime, timedelta

import pytest

from directlinks.core.links import LinkState
from directlinks.models import DailyDownloads, DirectLink
from example_project.showcase import DAYS, EXAMPLES, show_examples

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_there_is_something_to_see_in_every_list() -> None:
    show_examples(NOW)
    links = DirectLink.objects.with_file()
    shown = {link.state(NOW) for link in links}
    assert shown == {
        LinkState.ACTIVE,
        LinkState.NOT_YET,
        LinkState.PAUSED,
        LinkState.EXPIRED,
        LinkState.USED_UP,
    }
    assert links.filter(last_opened_at=None).exists()
    assert links.count() == len(EXAMPLES)


def test_the_days_of_a_link_come_to_its_downloads() -> None:
    show_examples(NOW)
    for link in DirectLink.objects.all():
        days = dict(link.days.values_list("day", "downloads"))
        assert sum(days.values()) == link.downloads
        assert all(NOW.date() - timedelta(days=DAYS) < day <= NOW.date() for day in days)


def test_showing_it_twice_shows_the_same_links_with_other_days() -> None:
    show_examples(NOW)
    links, days = DirectLink.objects.count(), DailyDownloads.objects.count()
    show_examples(NOW + timedelta(days=3))
    assert DirectLink.objects.count() == links
    assert DailyDownloads.objects.count() == days
