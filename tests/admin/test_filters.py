"""The filters of the list of links: each choice shows what its facet counts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django.fixtures import Settings

from directlinks.admin import filters
from directlinks.models import DirectLink, File
from tests.admin.pages import LINKS, listed, staff
from tests.factories import DirectLinkFactory, UserFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
STATES = (
    "active",
    "expiring-soon",
    "not-yet",
    "paused",
    "expired",
    "used-up",
    "owner-inactive",
    "trashed",
    "revoked",
    "content-missing",
)
OPENED = ("never", "recently", "earlier")


@pytest.fixture
def links() -> dict[str, DirectLink]:
    """A link for each choice; the missing bytes are those of an active one."""
    now = timezone.now()
    trashed = DirectLinkFactory(last_opened_at=now - DAY)
    trashed.file.trash()
    lacking = DirectLinkFactory(last_opened_at=now - 40 * DAY)
    File.objects.filter(pk=lacking.file_id).update(content="")
    return {
        "active": DirectLinkFactory(),
        "expiring-soon": DirectLinkFactory(expires_at=now + DAY, last_opened_at=now),
        "not-yet": DirectLinkFactory(not_before=now + DAY, expires_at=now + 2 * DAY),
        "paused": DirectLinkFactory(paused=True, expires_at=now + DAY, last_opened_at=now),
        "expired": DirectLinkFactory(expires_at=now - DAY),
        "used-up": DirectLinkFactory(max_downloads=1, downloads=1, last_opened_at=now - DAY),
        "owner-inactive": DirectLinkFactory(file__owner=UserFactory(is_active=False)),
        "trashed": trashed,
        "revoked": DirectLinkFactory(revoked_at=now, paused=True, last_opened_at=now - 31 * DAY),
        "content-missing": lacking,
    }


def facets(browser: Client, **query: str) -> dict[str, int]:
    html = browser.get(LINKS, {"_facets": "True", **query}).content.decode()
    # It is a <nav> in Django 5.2 and a <search> since 6.0.
    ((_tag, sidebar),) = re.findall(r'<(\w+) id="changelist-filter"(.*?)</\1>', html, re.DOTALL)
    found = re.findall(
        r"^(.+) \((\d+)\)$", strip_tags(sidebar).replace("\u00a0", " "), re.MULTILINE
    )
    return {name.strip(): int(number) for name, number in found}


@pytest.mark.parametrize("state", STATES)
def test_each_state_shows_its_links(
    browser: Client, links: dict[str, DirectLink], state: str
) -> None:
    # Both are active, and something more.
    more = {links["expiring-soon"], links["content-missing"]} if state == "active" else set()
    assert listed(browser, LINKS, state=state) == {links[state], *more}


def test_when_a_link_was_opened_is_a_filter(browser: Client, links: dict[str, DirectLink]) -> None:
    recently = {links[name] for name in ("expiring-soon", "paused", "used-up", "trashed")}
    earlier = {links["revoked"], links["content-missing"]}
    assert listed(browser, LINKS, opened="recently") == recently
    assert listed(browser, LINKS, opened="earlier") == earlier
    assert listed(browser, LINKS, opened="never") == {*links.values()} - recently - earlier


@pytest.mark.parametrize("name", ["state", "opened"])
def test_what_is_no_choice_shows_everything(
    browser: Client, links: dict[str, DirectLink], name: str
) -> None:
    assert listed(browser, LINKS, **{name: "nonsense", "_facets": "True"}) == {*links.values()}


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("opened", ["", *OPENED])
def test_a_facet_counts_what_its_choice_would_show(browser: Client, opened: str) -> None:
    chosen = {"opened": opened} if opened else {}
    counted = facets(browser, **chosen)
    for state in STATES:
        title = state.replace("-", " ").capitalize()
        assert counted[title] == len(listed(browser, LINKS, state=state, **chosen))
    for choice, title in (("never", "Never"), ("recently", "In the last 30 days")):
        assert counted[title] == len(listed(browser, LINKS, opened=choice))


def test_the_list_knows_its_length_from_the_facets(
    browser: Client, links: dict[str, DirectLink]
) -> None:
    query = {"state": "active", "opened": "never"}
    with CaptureQueriesContext(connection) as captured:
        with_facets = browser.get(LINKS, {**query, "_facets": "True"})
    assert not [q for q in captured if re.match(r"SELECT COUNT\(\*\)", q["sql"])]
    assert with_facets.context["cl"].result_count == 1
    assert set(with_facets.context["cl"].result_list) == {links["active"]}


def test_the_links_of_an_owner_are_found_by_who_they_are(browser: Client) -> None:
    ann, joanna = UserFactory(username="ann"), UserFactory(username="joanna")
    link = DirectLinkFactory(file__owner=ann)
    DirectLinkFactory(file__owner=joanna)
    assert listed(browser, LINKS, owner=str(ann.pk)) == {link}
    assert facets(browser, owner=str(ann.pk))["ann"] == 1
    assert "By owner" not in browser.get(LINKS).content.decode()


def test_an_owner_is_no_way_to_learn_names(client: Client, settings: Settings) -> None:
    settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.HidesSecrets"}
    link = DirectLinkFactory(file__path="secret/a", file__owner__username="hidden-owner")
    browser = staff(client, "view_directlink")
    answer = browser.get(LINKS, {"owner": str(link.file.owner_id)})
    assert "hidden-owner" not in answer.content.decode()


@pytest.mark.parametrize("owner", ["nobody", "9" * 30])
def test_an_owner_that_cannot_be_one_is_refused(browser: Client, owner: str) -> None:
    assert browser.get(LINKS, {"owner": owner}).status_code == 302


@pytest.mark.usefixtures("links")
def test_the_list_with_facets_costs_few_statements(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    browser = staff(client, "view_directlink", "change_directlink")
    owner = DirectLink.objects.latest("pk").file.owner_id
    query = {"_facets": "True", "state": "active", "opened": "never", "owner": str(owner)}
    with django_assert_max_num_queries(9):
        browser.get(LINKS, query)


@pytest.mark.parametrize("few", [0, 1000])
def test_a_search_and_the_filters_go_together(
    browser: Client,
    links: dict[str, DirectLink],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filters, "_FEW", few)
    names = ("active", "paused", "used-up")
    for name in names:
        DirectLink.objects.filter(pk=links[name].pk).update(label="For the press")
    assert listed(browser, LINKS, q="PRESS") == {links[name] for name in names}
    assert listed(browser, LINKS, q="press", state="paused") == {links["paused"]}
    counted = facets(browser, q="press", opened="never")
    assert (counted["Active"], counted["Paused"], counted["Never"]) == (1, 0, 1)


def test_a_page_searches_once(browser: Client) -> None:
    DirectLinkFactory(label="For the press")
    with CaptureQueriesContext(connection) as captured:
        browser.get(LINKS, {"q": "press", "_facets": "True"})
    assert len([query for query in captured if "press" in query["sql"].lower()]) == 1
