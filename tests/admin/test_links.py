"""The pages of links."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored, day_of
from directlinks.models import DirectLink, FormerCode
from tests.admin.pages import FILES, LINKS, actions, faults, listed, page_of, run, staff, text_of
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
CHANGES = {"pause_links", "resume_links", "extend_links", "rotate_links", "revoke_links"}
NO_LIMITS = {
    "not_before_0": "",
    "not_before_1": "",
    "expires_at_0": "",
    "expires_at_1": "",
    "max_downloads": "",
}


class TestList:
    def test_it_shows_addresses_state_owner_use_and_file(self, browser: Client) -> None:
        link = DirectLinkFactory(
            code="abcdefgh",
            name="a b.txt",
            label="For the press",
            downloads=4711,
            file__owner__username="ann",
            file__path="deep/b.txt",
            paused=True,
        )
        html = browser.get(LINKS).content.decode()
        address = "http://testserver/f/abcdefgh/a%20b.txt"
        assert f'<a href="{address}">abcd…</a>' in html
        assert f'data-copy="{address}"' in html
        assert page_of(link) in html
        assert page_of(link.file) in html
        assert f'<a href="{LINKS}?owner={link.file.owner_id}">ann</a>' in html
        assert '<span class="dl-badge dl-paused">Paused</span>' in html
        for shown in ("For the press", "4711", "deep/b.txt"):
            assert shown in html

    def test_it_draws_the_last_days_and_says_them(self, browser: Client) -> None:
        used, _ = DirectLinkFactory.create_batch(2)
        today = day_of(timezone.now())
        for ago, downloads in ((0, 3), (2, 4)):
            used.days.create(day=today - timedelta(days=ago), downloads=downloads)
        html = browser.get(LINKS).content.decode()
        titles = re.findall(r'role="img"[^>]*><title>(.*?)</title>', html)
        assert titles == [
            "0 downloads in 30 days",
            "7 downloads in 30 days, at most 4 on one day",
        ]

    def test_when_it_was_opened_is_a_day(self, browser: Client) -> None:
        # The site is eight hours ahead of UTC.
        DirectLinkFactory(last_opened_at=as_stored(datetime(2026, 5, 4, 16, tzinfo=UTC)))
        assert '<td class="field-opened">05/05/2026</td>' in browser.get(LINKS).content.decode()

    def test_a_base_url_begins_the_addresses(self, browser: Client, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": "https://files.example.org/x/"}
        DirectLinkFactory(code="abcd", name="a")
        assert 'href="https://files.example.org/x/f/abcd/a"' in browser.get(LINKS).content.decode()

    @pytest.mark.parametrize("query", ["abcd", "holiday", "photos", "ann", "press"])
    def test_it_is_searched_by_code_name_path_owner_and_label(
        self, browser: Client, query: str
    ) -> None:
        link = DirectLinkFactory(
            code="abcd",
            name="holiday.jpg",
            label="For the press",
            file__path="photos/1.jpg",
            file__owner__username="ann",
        )
        DirectLinkFactory(code="wxyz")
        assert listed(browser, LINKS, q=query) == {link}

    def test_its_statements_do_not_grow_with_its_rows(self, browser: Client) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as captured:
                browser.get(LINKS, {"_facets": "True"})
            return len(captured)

        for _ in range(3):
            DirectLinkFactory(created_by=UserFactory())
        few = count()
        for _ in range(27):
            DirectLinkFactory(created_by=UserFactory())
        assert count() == few

    def test_a_name_is_text_and_never_markup(self, browser: Client) -> None:
        link = DirectLinkFactory(file__path="<script>alert(1)<\u2044script>.txt")
        for page in (LINKS, page_of(link)):
            html = browser.get(page).content.decode()
            assert "<script>alert" not in html
            assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("page", [LINKS, FILES])
class TestLongSearch:
    @pytest.mark.parametrize(
        "query", ["a " * 51, "a" * 2001, "a " * 1900, "://" * 11_000], ids=lambda query: query[:4]
    )
    def test_one_is_refused_and_told_once(self, browser: Client, page: str, query: str) -> None:
        link = DirectLinkFactory(label="a")
        html = browser.get(page, {"q": query.strip() + "a"}).content.decode()
        assert html.count("This search is too long: enter up to 50 words and 2000 characters.") == 1
        assert link.file.path not in html

    def test_an_action_that_asks_for_the_list_again_tells_it_once(
        self, browser: Client, page: str
    ) -> None:
        data = {"action": "no_such_action", "_selected_action": DirectLinkFactory().pk}
        answer = browser.post(f"{page}?q={'a' * 2001}", data)
        told = [str(message) for message in get_messages(answer.wsgi_request)]
        assert len([text for text in told if text.startswith("This search is too long")]) == 1

    @pytest.mark.parametrize("query", ["o " * 49 + "o", "o" * 2000])
    def test_one_that_is_not_too_long_is_answered(
        self, browser: Client, page: str, query: str
    ) -> None:
        link = DirectLinkFactory(label="o" * 250)
        html = browser.get(page, {"q": query}).content.decode()
        assert "too long" not in html
        assert (link.file.path in html) is query.startswith("o ")


class TestForm:
    def test_limits_are_edited(self, browser: Client) -> None:
        link = DirectLinkFactory(name="a", reuse_name="a")
        data = {
            "not_before_0": "2026-05-04",
            "not_before_1": "20:00:00",
            "expires_at_0": "2026-05-05",
            "expires_at_1": "20:00:00",
            "max_downloads": "7",
            "paused": "on",
        }
        assert browser.post(page_of(link), data).status_code == 302
        link.refresh_from_db()
        # The site is eight hours ahead of UTC.
        assert (link.not_before, link.expires_at, link.max_downloads, link.paused) == (
            NOW,
            as_stored(datetime(2026, 5, 5, 12, tzinfo=UTC)),
            7,
            True,
        )
        assert link.reuse_name is None

    def test_saving_without_a_change_changes_nothing(self, browser: Client) -> None:
        link = DirectLinkFactory(name="a", reuse_name="a", created_by=UserFactory())
        before = DirectLink.objects.values().get()
        assert browser.post(page_of(link), NO_LIMITS).status_code == 302
        assert DirectLink.objects.values().get() == before

    def test_easing_a_limit_does_not_bring_the_reuse_back(self, browser: Client) -> None:
        link = DirectLinkFactory(name="a", reuse_name="a", max_downloads=1)
        assert browser.post(page_of(link), NO_LIMITS).status_code == 302
        link.refresh_from_db()
        assert (link.max_downloads, link.reuse_name) == (None, None)

    def test_what_is_counted_between_reading_and_saving_stays(self, browser: Client) -> None:
        link = DirectLinkFactory()
        assert browser.get(page_of(link)).status_code == 200

        counted: list[bool] = []

        def visit_before_the_update(execute: Any, sql: str, *rest: Any) -> Any:
            if re.match(r"UPDATE .directlinks_directlink", sql) and not counted:
                counted.append(True)
                DirectLink.objects.filter(pk=link.pk).count_download(NOW)
            return execute(sql, *rest)

        with connection.execute_wrapper(visit_before_the_update):
            browser.post(page_of(link), {**NO_LIMITS, "max_downloads": "7"})
        link.refresh_from_db()
        assert (link.downloads, link.last_opened_at, link.max_downloads) == (1, NOW, 7)

    def test_nothing_but_limits_can_be_edited(self, browser: Client) -> None:
        link = DirectLinkFactory(code="abcd", name="a")
        other = FileFactory()
        wish = {"code": "wxyz", "name": "b", "file": other.pk, "downloads": 9, "revoked_at": ""}
        assert browser.post(page_of(link), {**NO_LIMITS, **wish}).status_code == 302
        fresh = DirectLink.objects.get()
        assert (fresh.code, fresh.name, fresh.file, fresh.downloads) == ("abcd", "a", link.file, 0)

    @pytest.mark.parametrize("number", ["-1", "many", "99999999999999999999"])
    def test_a_number_that_is_none_is_a_fault(self, browser: Client, number: str) -> None:
        link = DirectLinkFactory()
        response = browser.post(page_of(link), {**NO_LIMITS, "max_downloads": number})
        assert list(faults(response)) == ["max_downloads"]


class TestPermissions:
    def test_staff_without_any_see_nothing(self, client: Client) -> None:
        link = DirectLinkFactory()
        browser = staff(client)
        for page in (LINKS, page_of(link)):
            assert browser.get(page).status_code == 403

    @pytest.mark.parametrize(
        ("permissions", "offered"),
        [
            ([], {"export_links"}),
            (["change_directlink"], {"export_links", *CHANGES}),
            (["delete_directlink"], {"export_links", "delete_selected"}),
        ],
    )
    def test_actions_are_offered_to_who_may(
        self, client: Client, permissions: list[str], offered: set[str]
    ) -> None:
        DirectLinkFactory()
        assert actions(staff(client, "view_directlink", *permissions), LINKS) == offered

    def test_who_may_look_cannot_guess_at_the_hash_of_a_password(self, client: Client) -> None:
        DirectLinkFactory(password="md5$salt$hash")
        browser = staff(client, "view_directlink")
        for guess in ("md5", "argon2"):
            assert browser.get(LINKS, {"password__startswith": guess}).status_code == 400

    def test_who_may_only_look_changes_nothing(self, client: Client) -> None:
        link = DirectLinkFactory()
        browser = staff(client, "view_directlink")
        for action in CHANGES:
            run(browser, LINKS, action, [link], days="1", hours="0")
        assert browser.get(page_of(link)).status_code == 200
        assert browser.post(page_of(link), {**NO_LIMITS, "paused": "on"}).status_code == 403
        assert DirectLink.objects.get().state(NOW).value == "active"

    def test_nobody_adds_a_link_without_a_file(self, browser: Client) -> None:
        assert browser.get(f"{LINKS}add/").status_code == 403

    def test_what_the_policy_hides_is_not_there(self, browser: Client, settings: Settings) -> None:
        shown, hidden = DirectLinkFactory(), DirectLinkFactory(file__path="secret/a")
        settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.HidesSecrets"}
        assert listed(browser, LINKS) == {shown}
        assert browser.get(page_of(hidden)).status_code == 302
        assert run(browser, LINKS, "revoke_links", [shown, hidden]) == ["1 link was revoked."]
        assert DirectLink.objects.get(revoked_at=None) == hidden


class TestLimits:
    def test_an_end_before_the_beginning_is_refused(self, browser: Client) -> None:
        link = DirectLinkFactory()
        form = {
            "not_before_0": "2030-01-02",
            "not_before_1": "00:00:00",
            "expires_at_0": "2030-01-01",
            "expires_at_1": "00:00:00",
        }
        assert faults(browser.post(page_of(link), form)) == {
            "expires_at": ["The link would expire before it opens."]
        }

    def test_no_download_at_all_is_refused(self, browser: Client) -> None:
        link = DirectLinkFactory()
        assert "max_downloads" in faults(browser.post(page_of(link), {"max_downloads": "0"}))

    def test_those_of_a_revoked_link_are_history(self, browser: Client) -> None:
        link = DirectLinkFactory(revoked_at=timezone.now())
        browser.post(page_of(link), {"paused": "on"})
        link.refresh_from_db()
        assert not link.paused


@pytest.mark.parametrize("code", ["now", "former"])
@pytest.mark.parametrize(
    "address", ["http://testserver/f/{}/a.txt", "/f/d/{}/a.txt", "/f/{}", "/f/{}?x=1", "{}"]
)
def test_a_pasted_address_finds_its_link(browser: Client, code: str, address: str) -> None:
    link, _ = DirectLinkFactory.create_batch(2)
    FormerCode.objects.create(code="former-code", link=link, until=None)
    code = link.code if code == "now" else "former-code"
    assert listed(browser, LINKS, q=address.format(code)) == {link}


def test_the_list_says_how_a_link_is_made(browser: Client, client: Client) -> None:
    DirectLinkFactory()
    way = f'<a href="{FILES}">Choose a file to link</a>'
    assert way in browser.get(LINKS).content.decode()
    for permission in ("add_directlink", "view_file"):
        html = staff(client, "view_directlink", permission).get(LINKS).content.decode()
        assert way not in html


def test_the_list_does_not_say_it_if_links_are_switched_off(
    browser: Client, settings: Settings
) -> None:
    settings.DIRECTLINKS = {"BATCH_SIZE": 0}
    assert "Choose a file to link" not in browser.get(LINKS).content.decode()


@pytest.mark.parametrize(("term", "number"), [("a/f/plan", 1), ("plan", 2)])
def test_a_path_may_look_like_an_address(browser: Client, term: str, number: int) -> None:
    for path in ("a/f/plan.txt", "other plan.txt"):
        DirectLinkFactory(file__path=path)
    assert len(listed(browser, LINKS, q=term)) == number


@pytest.mark.parametrize("many", [False, True])
def test_whoever_deletes_is_told_what_that_means(browser: Client, many: bool) -> None:
    link = DirectLinkFactory(downloads=3)
    for day in range(1, 4):
        link.days.create(day=date(2026, 5, day), downloads=1)
    if many:
        data = {"action": "delete_selected", "_selected_action": link.pk}
        html = browser.post(LINKS, data).content.decode()
    else:
        html = browser.get(page_of(link).replace("change", "delete")).content.decode()
    text = text_of(html)
    assert "revoke it instead" in text
    assert f"{link.code[:4]}… · {link.file.owner} · {link.file.path}" in text
    assert f'<a href="{page_of(link)}">' in html
    # How many, and not each of them.
    assert "downloads by day: 3" in text.lower()
    assert "2026-05-01" not in text
