"""The page of one link: limits, password, statistics, snippets, QR code, history."""

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored, day_of
from directlinks.models import DirectLink, FormerCode
from directlinks.services.changing import change_direct_link, rotate_direct_link
from directlinks.services.revoking import revoke_direct_link
from tests.admin.pages import faults, page_of, staff, text_of
from tests.factories import DirectLinkFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
DAY = timedelta(days=1)
MOMENTS = ("not_before_0", "not_before_1", "expires_at_0", "expires_at_1")
EMPTY = dict.fromkeys((*MOMENTS, "max_downloads"), "")


def shown(browser: Client, link: DirectLink) -> str:
    return str(browser.get(page_of(link)).content.decode())


class TestLimits:
    def test_words_and_referring_sites_are_edited(self, browser: Client) -> None:
        link = DirectLinkFactory()
        data = {**EMPTY, "label": "Press", "note": "Until May.", "referers": "example.org"}
        assert browser.post(page_of(link), data).status_code == 302
        link.refresh_from_db()
        assert (link.label, link.note, link.referers) == ("Press", "Until May.", "example.org")

    def test_a_link_can_be_made_to_ask_first(self, browser: Client) -> None:
        link = DirectLinkFactory(reuse_name="a", name="a")
        assert browser.post(page_of(link), {**EMPTY, "ask_first": "on"}).status_code == 302
        link.refresh_from_db()
        assert (link.ask_first, link.reuse_name) == (True, None)
        assert LogEntry.objects.get().get_change_message() == "Changed ask first."

    def test_a_change_is_remembered_once(self, browser: Client, superuser: Any) -> None:
        link = DirectLinkFactory()
        browser.post(page_of(link), {**EMPTY, "label": "Press", "paused": "on"})
        entry = LogEntry.objects.get()
        assert (entry.user, entry.get_change_message()) == (
            superuser,
            "Changed paused and label.",
        )

    def test_what_the_site_does_not_allow_is_a_fault(
        self, browser: Client, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"MAX_LIFE": 3600}
        link = DirectLinkFactory()
        data = {**EMPTY, "expires_at_0": "2999-01-01", "expires_at_1": "00:00:00"}
        assert list(faults(browser.post(page_of(link), data))) == ["expires_at"]
        assert DirectLink.objects.get().expires_at is None


class TestPassword:
    def test_one_is_set_as_it_is_typed(self, browser: Client) -> None:
        link = DirectLinkFactory()
        assert 'name="remove_password"' not in shown(browser, link)
        browser.post(page_of(link), {**EMPTY, "new_password": " open sesame "})
        link.refresh_from_db()
        assert check_password(" open sesame ", link.password)
        assert LogEntry.objects.get().get_change_message() == "Changed password."

    def test_it_stays_unless_it_is_changed(self, browser: Client) -> None:
        link = DirectLinkFactory(password="a hash")
        browser.post(page_of(link), {**EMPTY, "label": "Press"})
        link.refresh_from_db()
        assert link.password == "a hash"

    def test_it_is_removed(self, browser: Client) -> None:
        link = DirectLinkFactory(password="a hash")
        assert 'name="remove_password"' in shown(browser, link)
        browser.post(page_of(link), {**EMPTY, "remove_password": "on"})
        link.refresh_from_db()
        assert link.password == ""

    def test_both_at_once_are_a_fault(self, browser: Client) -> None:
        link = DirectLinkFactory(password="a hash")
        answer = browser.post(
            page_of(link), {**EMPTY, "new_password": "x", "remove_password": "on"}
        )
        assert list(faults(answer)) == ["remove_password"]
        link.refresh_from_db()
        assert link.password == "a hash"

    def test_the_hash_is_not_shown(self, browser: Client) -> None:
        link = DirectLinkFactory(password="md5$salt$hash")
        assert "md5$" not in shown(browser, link)

    def test_of_a_revoked_link_it_cannot_be_changed(self, browser: Client) -> None:
        link = DirectLinkFactory(revoked_at=NOW, password="a hash")
        assert 'name="new_password"' not in shown(browser, link)
        for wish in ({"new_password": "x"}, {"remove_password": "on"}):
            browser.post(page_of(link), wish)
        link.refresh_from_db()
        assert link.password == "a hash"


class TestFacts:
    def test_use_is_drawn_and_told(self, browser: Client) -> None:
        link = DirectLinkFactory(downloads=4711, last_opened_at=NOW)
        link.days.create(day=day_of(timezone.now()), downloads=9)
        html = shown(browser, link)
        assert "4711 in all" in text_of(html)
        assert "9 downloads in 30 days, at most 9 on one day" in text_of(html)
        (bars,) = re.findall(r'<svg class="dl-bars" role="img".*?</svg>', html)
        assert bars.count("<rect") == 30
        assert bars.count('height="0"') == 29
        assert "As a table" in html

    def test_a_link_that_nobody_opened_says_so(self, browser: Client) -> None:
        text = text_of(shown(browser, DirectLinkFactory()))
        assert "never opened" in text
        assert "0 downloads in 30 days" in text
        assert "As a table" not in text

    def test_snippets_are_ready_to_paste(self, browser: Client) -> None:
        html = shown(browser, DirectLinkFactory(code="abcdefgh", name="a.txt"))
        for snippet in (
            "[a.txt](http://testserver/f/abcdefgh/a.txt)",
            "&lt;a href=&quot;http://testserver/f/abcdefgh/a.txt&quot;&gt;a.txt&lt;/a&gt;",
            "[url=http://testserver/f/abcdefgh/a.txt]a.txt[/url]",
            "curl -fL -o a.txt http://testserver/f/abcdefgh/a.txt",
        ):
            assert f"<code>{snippet}</code>" in html

    def test_the_address_is_a_qr_code(self, browser: Client) -> None:
        (picture,) = re.findall(r'<svg role="img".*?</svg>', shown(browser, DirectLinkFactory()))
        assert "<title>http://testserver/f/" in picture
        assert "style" not in picture

    def test_without_segno_it_says_what_to_install(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "segno", None)
        html = shown(browser, DirectLinkFactory())
        assert "pip install &quot;django-directlinks[qr]&quot;" in html

    def test_history_tells_who_made_and_changed_it(self, browser: Client) -> None:
        link = DirectLinkFactory(created_by=UserFactory(username="ann"))
        bob = UserFactory(username="bob")
        change_direct_link(link, {"paused": True}, user=bob, now=NOW)
        text = text_of(shown(browser, link))
        assert re.search(r"bob Paused\. .* ann Created\.", text)

    def test_it_says_what_was_done_rather_than_which_field_changed(self, browser: Client) -> None:
        link, bob = DirectLinkFactory(), UserFactory(username="bob")
        for limits in ({"paused": True}, {"paused": False}):
            change_direct_link(link, limits, user=bob, now=NOW)
        rotate_direct_link(link, grace=None, user=bob, now=NOW)
        revoke_direct_link(link, user=bob, now=NOW)
        text = text_of(shown(browser, link))
        assert re.search(
            r"bob Revoked\. .* bob Address changed\. .* bob Resumed\. .* bob Paused\.", text
        )

    def test_what_did_not_change_is_no_history(self, browser: Client) -> None:
        link, bob = DirectLinkFactory(), UserFactory(username="bob")
        change_direct_link(link, {"paused": False, "label": "x"}, user=bob, now=NOW)
        change_direct_link(link, {"paused": False}, user=bob, now=NOW)
        text = text_of(shown(browser, link))
        assert "bob Changed label." in text
        assert "Resumed." not in text

    def test_former_codes_are_listed(self, browser: Client) -> None:
        link = DirectLinkFactory()
        assert "Former codes" not in shown(browser, link)
        FormerCode.objects.create(code="abcd", link=link, until=None)
        FormerCode.objects.create(code="wxyz", link=link, until=timezone.now() + DAY)
        text = text_of(shown(browser, link))
        assert "abcd no longer opens" in text
        assert "wxyz no longer opens" not in text

    def test_a_stranger_s_text_is_never_markup(self, browser: Client) -> None:
        text = "</code><script>alert(1)</script>"
        link = DirectLinkFactory(name=text, label=text, note=text)
        html = shown(browser, link)
        assert "<script>alert" not in html

    def test_actions_are_offered_to_who_may(self, browser: Client, client: Client) -> None:
        link = DirectLinkFactory()
        assert 'value="pause_links"' in shown(browser, link)
        assert 'value="extend_links"' not in shown(browser, link)
        paused = DirectLinkFactory(paused=True, expires_at=NOW)
        assert 'value="resume_links"' in shown(browser, paused)
        assert 'value="extend_links"' in shown(browser, paused)
        assert "revoke_links" not in shown(browser, DirectLinkFactory(revoked_at=NOW))
        assert "revoke_links" not in shown(staff(client, "view_directlink"), link)
