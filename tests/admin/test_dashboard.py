"""All links at a glance."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored, day_of
from directlinks.models import DirectLink
from directlinks.policies import OwnerOrAdmin
from directlinks.querysets import FileQuerySet
from directlinks.services.changing import pause_direct_links
from tests.admin.pages import DASHBOARD, LINKS, page_of, staff, text_of
from tests.factories import DirectLinkFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


def used(downloads: int, **fields: Any) -> DirectLink:
    link: DirectLink = DirectLinkFactory(**fields)
    link.days.create(day=day_of(timezone.now()), downloads=downloads)
    return link


def shown(browser: Client) -> str:
    answer = browser.get(DASHBOARD)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_list_leads_there(browser: Client) -> None:
    assert f'href="{DASHBOARD}"' in browser.get(LINKS).content.decode()


def test_it_counts_states_and_leads_to_them(browser: Client) -> None:
    DirectLinkFactory.create_batch(2)
    DirectLinkFactory(revoked_at=NOW)
    html = shown(browser)
    text = text_of(html)
    for words in ("2 Active", "0 Paused", "1 Revoked"):
        assert words in text
    assert f'href="{LINKS}?state=revoked"' in html


def test_it_tells_what_is_downloaded_and_what_was_done(browser: Client) -> None:
    few = used(3, name="few.txt", file__path="few.txt")
    many = used(8, name="many.txt", file__path="a/many.txt", file__owner__username="ann")
    pause_direct_links([few], user=UserFactory(username="bob"))
    html = shown(browser)
    text = text_of(html)
    assert "11 downloads in 30 days" in text
    assert "many.txt a/many.txt 8 ann few.txt few.txt 3" in text
    assert re.search(
        r"few\.txt bob Paused\. .* many\.txt \S Created\. .* few\.txt \S Created\.", text
    )
    assert page_of(many) in html


def test_what_was_imported_began_long_ago(browser: Client) -> None:
    DirectLinkFactory(name="new.txt")
    for link in DirectLinkFactory.create_batch(10):
        DirectLink.objects.filter(pk=link.pk).update(created_at=NOW)
    assert "new.txt" in text_of(shown(browser))


def test_an_empty_site_has_one_too(browser: Client) -> None:
    text = text_of(shown(browser))
    assert "No link was opened." in text
    assert "No changes yet." in text


def test_its_statements_do_not_grow(browser: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(browser)
        return len(captured)

    pause_direct_links([used(3)], user=UserFactory())
    count()
    few = count()
    pause_direct_links([used(number) for number in range(1, 9)], user=UserFactory())
    assert count() == few


def test_it_shows_what_the_policy_shows(browser: Client, settings: Settings) -> None:
    seen, hidden = used(3, name="seen.txt"), used(8, name="hid.txt", file__path="secret/a")
    pause_direct_links([seen, hidden], user=UserFactory())
    settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.HidesSecrets"}
    text = text_of(shown(browser))
    assert "hid.txt" not in text
    for words in ("1 Paused", "3 downloads in 30 days", "seen.txt"):
        assert words in text


@pytest.mark.parametrize(("permission", "status"), [("view_directlink", 200), ("view_file", 403)])
def test_it_is_for_who_may_see_links(client: Client, permission: str, status: int) -> None:
    assert staff(client, permission).get(DASHBOARD).status_code == status


def test_who_may_see_nothing_sees_an_empty_one(client: Client, settings: Settings) -> None:
    used(3)
    settings.DIRECTLINKS = {"POLICY": "tests.admin.test_dashboard.Closed"}
    assert "0 downloads in 30 days" in text_of(shown(staff(client, "view_directlink")))


class Closed(OwnerOrAdmin):
    """A policy under which nobody manages anything."""

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        return queryset.none()
