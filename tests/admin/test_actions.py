"""What is done with many links: asked once more, done, counted."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.admin import actions
from directlinks.admin.actions import COLUMNS
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, FormerCode
from directlinks.services.changing import change_direct_link, pause_direct_links
from tests.admin.pages import LINKS, page_of, run, text_of
from tests.factories import DirectLinkFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
DAY = timedelta(days=1)


def ask(browser: Client, action: str, *links: DirectLink, **more: str) -> str:
    """The page that asks once more."""
    data = {"action": action, "_selected_action": [link.pk for link in links], **more}
    answer = browser.post(LINKS, data)
    assert answer.status_code == 200
    return answer.content.decode()


def exported(browser: Client, *links: DirectLink) -> list[dict[str, str]]:
    data = {"action": "export_links", "_selected_action": [link.pk for link in links]}
    answer: Any = browser.post(LINKS, data)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="links-')
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


@pytest.mark.parametrize(
    "action", ["pause_links", "resume_links", "extend_links", "rotate_links", "revoke_links"]
)
def test_nothing_is_done_before_it_is_confirmed(browser: Client, action: str) -> None:
    links = [
        DirectLinkFactory(expires_at=NOW, label="For the press", file__path="to/report.pdf"),
        DirectLinkFactory(paused=True, file__owner__username="ann"),
    ]
    before = list(DirectLink.objects.order_by("pk").values())
    shown = text_of(ask(browser, action, *links))
    assert "2 links are selected" in shown
    for words in (links[0].name, f"{links[1].code[:4]}…", "For the press", "to/report.pdf", "ann"):
        assert words in shown
    assert list(DirectLink.objects.order_by("pk").values()) == before


def test_of_very_many_some_are_named(browser: Client) -> None:
    links = DirectLinkFactory.create_batch(12)
    shown = text_of(ask(browser, "pause_links", *links))
    assert "12 links are selected" in shown
    assert "and 2 more" in shown


def test_links_are_paused_and_resumed(browser: Client, superuser: Any) -> None:
    links = [*DirectLinkFactory.create_batch(2), DirectLinkFactory(paused=True)]
    assert run(browser, LINKS, "pause_links", links) == [
        "2 links were paused.",
        "1 link was not changed.",
    ]
    assert DirectLink.objects.filter(paused=True).count() == 3
    assert run(browser, LINKS, "resume_links", links[:1]) == ["1 link was resumed."]
    assert not DirectLink.objects.get(pk=links[0].pk).paused
    assert LogEntry.objects.filter(user=superuser).count() == 3


class TestResuming:
    """Pausing all and resuming all would open what was paused before."""

    @pytest.fixture
    def links(self, browser: Client) -> list[DirectLink]:
        """Paused at an unknown time, by Ann in January, and by the action just now."""
        unknown, early, late = DirectLinkFactory.create_batch(3)
        DirectLink.objects.filter(pk=unknown.pk).update(paused=True)
        pause_direct_links([early], user=UserFactory(username="ann"))
        then = as_stored(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
        LogEntry.objects.update(action_time=then)
        links = [unknown, early, late]
        assert run(browser, LINKS, "pause_links", links)[0] == "1 link was paused."
        return links

    def test_it_is_asked_which_were_paused_by_whom_and_when(
        self, browser: Client, links: list[DirectLink]
    ) -> None:
        form = ask(browser, "resume_links", *links)
        choices = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)', form)
        assert [bool(selected) for _, selected, _ in choices] == [True, False, False, False]
        told = [words for _, _, words in choices]
        assert told[0].startswith("1 link paused by user")
        assert told[1].startswith("1 link paused by ann, ")
        assert told[2:] == ["1 link paused at an unknown time", "All"]

    @pytest.mark.parametrize(("choice", "opened"), [(0, [2]), (1, [1]), (2, [0]), (3, [0, 1, 2])])
    def test_those_are_resumed_that_were_meant(
        self, browser: Client, links: list[DirectLink], choice: int, opened: list[int]
    ) -> None:
        values = re.findall(r'<option value="([^"]*)"', ask(browser, "resume_links", *links))
        run(browser, LINKS, "resume_links", links, pause=values[choice])
        resumed = DirectLink.objects.filter(paused=False)
        assert set(resumed) == {links[place] for place in opened}

    def test_of_links_that_one_action_paused_nothing_is_asked(
        self, browser: Client, links: list[DirectLink]
    ) -> None:
        assert 'name="pause"' not in ask(browser, "resume_links", links[2])
        assert run(browser, LINKS, "resume_links", links[2:]) == ["1 link was resumed."]

    def test_a_link_whose_other_fields_were_changed_too_was_paused_as_well(
        self, browser: Client, links: list[DirectLink], superuser: Any
    ) -> None:
        DirectLink.objects.filter(pk=links[0].pk).update(paused=False)
        limits = {"paused": True, "label": "press"}
        link = DirectLink.objects.get(pk=links[0].pk)
        change_direct_link(link, limits, user=superuser, now=timezone.now())
        assert "unknown" not in ask(browser, "resume_links", *links)


def test_links_are_extended_by_days(browser: Client) -> None:
    ends = timezone.now() + DAY
    link, endless = DirectLinkFactory(expires_at=ends), DirectLinkFactory()
    assert run(browser, LINKS, "extend_links", [link, endless], days="7") == [
        "1 link was extended.",
        "1 link was not changed.",
    ]
    link.refresh_from_db()
    assert link.expires_at == ends + 7 * DAY


@pytest.mark.parametrize("days", ["", "0", "-3", "many"])
def test_days_that_are_none_are_asked_for_again(browser: Client, days: str) -> None:
    link = DirectLinkFactory(expires_at=NOW)
    html = ask(browser, "extend_links", link, confirmed="yes", days=days)
    assert 'class="errorlist"' in html
    assert DirectLink.objects.get().expires_at == NOW


@pytest.mark.parametrize("hours", [0, 2])
def test_links_get_new_addresses(browser: Client, hours: int) -> None:
    link = DirectLinkFactory(code="abcdefgh")
    assert run(browser, LINKS, "rotate_links", [link], hours=str(hours)) == [
        "1 link has a new address."
    ]
    assert DirectLink.objects.get().code != "abcdefgh"
    assert (FormerCode.objects.get().until is not None) == bool(hours)


def test_links_are_revoked_for_good(browser: Client) -> None:
    links = DirectLinkFactory.create_batch(2, name="a", reuse_name="a")
    kept = DirectLinkFactory()
    assert run(browser, LINKS, "revoke_links", links) == ["2 links were revoked."]
    assert DirectLink.objects.get(revoked_at=None) == kept
    assert not DirectLink.objects.reusable().exists()
    assert browser.get(links[0].get_absolute_url()).status_code == 404


def test_what_is_revoked_already_is_not_counted(browser: Client) -> None:
    links = [DirectLinkFactory(revoked_at=NOW), DirectLinkFactory()]
    assert run(browser, LINKS, "revoke_links", links) == [
        "1 link was revoked.",
        "1 link was not changed.",
    ]
    assert LogEntry.objects.count() == 1


def test_a_whole_list_is_worked_through_in_parts(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_AT_ONCE", 2)
    links = DirectLinkFactory.create_batch(5)
    other = DirectLinkFactory(last_opened_at=NOW)
    across = {"action": "pause_links", "_selected_action": links[0].pk, "select_across": "1"}
    page = f"{LINKS}?state=active&opened=never"
    html = browser.post(page, across).content.decode()
    assert "5 links are selected" in text_of(html)
    assert html.count('name="_selected_action"') == 1
    # Each one that is paused leaves the list, and none of the others is passed over.
    browser.post(page, {**across, "confirmed": "yes"})
    assert DirectLink.objects.get(paused=False) == other


def test_what_is_asked_on_the_page_of_a_link_leads_back_there(browser: Client) -> None:
    link = DirectLinkFactory()
    html = ask(browser, "pause_links", link, on_page="1")
    assert f'href="{page_of(link)}">Cancel' in html
    data = {"action": "pause_links", "_selected_action": link.pk, "on_page": "1"}
    answer = browser.post(LINKS, {**data, "confirmed": "yes"}, follow=True)
    assert answer.redirect_chain == [(page_of(link), 302)]


class TestExport:
    def test_it_has_a_row_for_each_link(self, browser: Client) -> None:
        link = DirectLinkFactory(
            code="abcdefgh",
            name="a b.txt",
            file__path="deep/b.txt",
            file__owner__username="ann",
            created_by=UserFactory(username="bob"),
            label="For the press",
            password="a hash",
            max_downloads=7,
            last_opened_at=NOW,
            downloads=3,
        )
        (row,) = exported(browser, link)
        assert list(row) == list(COLUMNS)
        expected = {
            "url": "http://testserver/f/abcdefgh/a%20b.txt",
            "code": "abcdefgh",
            "name": "a b.txt",
            "path": "deep/b.txt",
            "owner": "ann",
            "created_by": "bob",
            "state": "active",
            "label": "For the press",
            "password": "yes",
            "paused": "no",
            "max_downloads": "7",
            "downloads": "3",
            "last_opened_at": "2026-05-04T12:00:00+00:00",
            "expires_at": "",
        }
        assert {name: row[name] for name in expected} == expected

    @pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"])
    def test_no_cell_is_a_formula(self, browser: Client, text: str) -> None:
        link = DirectLinkFactory(
            name=text, file__path=text.replace("/", ""), label=text, note=text, created_by=None
        )
        (row,) = exported(browser, link)
        for column in ("name", "path", "label", "note"):
            assert row[column].startswith("'")
        assert row["created_by"] == ""

    def test_it_has_what_was_selected_and_may_be_seen(
        self, browser: Client, settings: Settings
    ) -> None:
        shown, hidden, _ = (
            DirectLinkFactory(),
            DirectLinkFactory(file__path="secret/a"),
            DirectLinkFactory(),
        )
        settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.HidesSecrets"}
        (row,) = exported(browser, shown, hidden)
        assert row["code"] == shown.code
