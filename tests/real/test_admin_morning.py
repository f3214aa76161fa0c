"""A link manager's morning: what was never opened is paused, two links live on, one is revoked."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.real.admin_sites import STAFF, admin_site
from tests.real.chromium import chromium, enter_admin
from tests.real.screenshots import LINKS
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site
from tests.real.visitors import ask


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = admin_site(tmp_path_factory.mktemp("site") / "project")
    site.add_user("ada")
    return site


@pytest.fixture(scope="module")
def links(site: Site) -> dict[str, str]:
    """The paths of ada's links by the names of their files."""
    plain = site.add_links({"first.txt": b"1", "second.txt": b"2", "leak.txt": b"3"})
    past = "expires_at=datetime(2026, 1, 1, tzinfo=UTC), last_opened_at=datetime.now(UTC)"
    expired = site.add_links({"old.txt": b"4", "older.txt": b"5", "oldest.txt": b"6"}, past)
    return {**plain, **expired}


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with gunicorn(site) as server:
        yield server


@pytest.fixture
def page(server: Server) -> Iterator[Page]:
    with chromium() as browser, browser.new_context(accept_downloads=True) as context:
        yield context.new_page()


def status(server: Server, path: str) -> int:
    """What a visitor gets who follows the link and nothing else."""
    return ask("GET", f"{server.origin}{path}").status


def do(page: Page, action: str, *names: str, button: str, told: str, days: str = "") -> None:
    """Select the links with these names, all on the page without any, and do it."""
    if names:
        for name in names:
            row = page.locator("#result_list tbody tr", has=page.get_by_text(name, exact=True))
            row.get_by_role("checkbox").check()
    else:
        page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go").click()
    if days:
        page.get_by_label("Days").fill(days)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text(told)).to_be_visible()


def test_a_link_managers_morning(
    page: Page, server: Server, links: dict[str, str], tmp_path: Path
) -> None:
    # Yesterday, a visitor opened one link and found three that had expired.
    assert status(server, links["leak.txt"]) == 302
    assert {status(server, links[name]) for name in ("old.txt", "older.txt", "oldest.txt")} == {410}

    # All links of ada's that nobody ever opened.
    enter_admin(page, server.origin, STAFF)
    page.goto(f"{server.origin}{LINKS}?q=leak")
    page.get_by_role("link", name="ada").click()
    page.get_by_role("link", name="Show counts").click()
    page.get_by_role("link", name="Never (2)").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    do(page, "Pause", button="Pause", told="2 links were paused.")
    assert status(server, links["first.txt"]) == status(server, links["second.txt"]) == 404

    # Two of those that had expired are wanted again.
    page.get_by_role("link", name="Clear all filters").click()
    page.get_by_role("link", name="Expired (").click()
    days = {"button": "Extend", "days": "14"}
    do(page, "Extend …", "old.txt", "older.txt", told="2 links were extended.", **days)
    assert status(server, links["old.txt"]) == status(server, links["older.txt"]) == 302
    assert status(server, links["oldest.txt"]) == 410

    # One should never have been given away.
    page.goto(f"{server.origin}{LINKS}?q={server.origin}{links['leak.txt']}")
    do(page, "Revoke for good", "leak.txt", button="Revoke", told="1 link was revoked.")
    assert status(server, links["leak.txt"]) == 404

    # What is left of all this goes to a colleague.
    page.get_by_role("link", name="ada").click()
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label="Export as CSV")
    with page.expect_download() as download:
        page.get_by_role("button", name="Go").click()
    table = tmp_path / "links.csv"
    download.value.save_as(table)
    with table.open(encoding="utf-8-sig", newline="") as file:
        states = {row["name"]: row["state"] for row in csv.DictReader(file)}
    assert states == {
        "first.txt": "paused",
        "second.txt": "paused",
        "leak.txt": "revoked",
        "old.txt": "active",
        "older.txt": "active",
        "oldest.txt": "expired",
    }
