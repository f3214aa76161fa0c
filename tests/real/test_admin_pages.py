"""Each page of the admin in a real browser: strict policy, both themes, a phone, the keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.real.admin_sites import STAFF, admin_site
from tests.real.chromium import chromium, enter_admin
from tests.real.screenshots import FILES, LINKS, LOOKS, pages
from tests.real.servers import Server, gunicorn


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("site") / "project"
    with gunicorn(admin_site(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        enter_admin(page, server.origin, STAFF)
        yield page


def findings(page: Page) -> list[str]:
    """What axe finds, and where."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {violation['id']}: {node['html'][:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(browser: Browser, server: Server, look: str) -> None:
    with browser.new_context(**LOOKS[look]) as context:
        page = context.new_page()
        enter_admin(page, server.origin, STAFF)
        found = [finding for _ in pages(page, server.origin) for finding in findings(page)]
    assert found == []


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_is_wider_than_the_screen_or_against_the_policy(
    browser: Browser, server: Server, look: str
) -> None:
    with browser.new_context(**LOOKS[look]) as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        enter_admin(page, server.origin, STAFF)
        for _ in pages(page, server.origin):
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    # A browser asks for an icon, and the site has none.
    errors = [words for words in faults if words.startswith("error")]
    assert [words for words in errors if "404 (Not Found)" not in words] == []


def test_a_button_copies_the_address(page: Page, server: Server) -> None:
    page.goto(f"{server.origin}{LINKS}?q=logo")
    row = page.locator("#result_list tbody tr").first
    address = row.locator(".dl-address a").get_attribute("href")
    row.get_by_role("button", name="Copy").click()
    expect(row.locator(".dl-copy")).to_have_text("Copied")
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == address


def test_a_button_that_cannot_copy_says_so_and_selects_the_address(
    page: Page, server: Server
) -> None:
    # As a page without HTTPS has it, in a browser that does not copy for it either.
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false;"
    )
    page.goto(f"{server.origin}{LINKS}?q=logo")
    row = page.locator("#result_list tbody tr").first
    address = row.locator(".dl-address a").get_attribute("href")
    for _ in range(2):
        row.locator(".dl-copy").click()
        expect(page.get_by_role("status")).to_have_text("Not copied: press Ctrl+C or ⌘C")
        expect(row.locator(".dl-copy")).to_have_text("Not copied: press Ctrl+C or ⌘C")
        expect(row.locator(".dl-by-hand")).to_be_focused()
        assert page.evaluate("getSelection().toString()") == address


def test_without_scripts_nothing_is_missing(browser: Browser, server: Server) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        enter_admin(page, server.origin, STAFF)
        page.goto(f"{server.origin}{LINKS}?q=portrait")
        expect(page.locator(".dl-copy")).to_be_hidden()
        page.locator("input[name=_selected_action]").check()
        page.get_by_label("Action:").select_option("pause_links")
        page.get_by_role("button", name="Go").click()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("1 link was paused.")).to_be_visible()
        page.locator("#result_list tbody th a").click()
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_text("1 link was resumed.")).to_be_visible()


def test_the_keyboard_alone_is_enough(page: Page, server: Server) -> None:
    page.goto(f"{server.origin}{LINKS}?q=anthem")
    page.locator("#result_list tbody th a").focus()
    page.keyboard.press("Enter")
    label = page.get_by_label("Label:")
    label.focus()
    page.keyboard.type(" and friends")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    # From the name over the owner to the address, and on to the button that copies it.
    page.goto(f"{server.origin}{LINKS}?q=anthem")
    page.locator("#result_list tbody th a").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.evaluate("button => button.className") == "dl-copy"
    assert focused.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(focused).to_have_text("Copied")


def test_a_file_is_uploaded_linked_and_replaced(page: Page, server: Server) -> None:
    page.goto(f"{server.origin}{FILES}add/")
    page.get_by_label("Owner:").fill("1")
    page.get_by_label("Path:").fill("notes/today.txt")
    content = page.get_by_label("Content:")
    content.set_input_files({"name": "x.txt", "mimeType": "text/plain", "buffer": b"before"})
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("button", name="Create a direct link").click()
    expect(page.get_by_text("The direct link is ready.")).to_be_visible()
    link = page.locator(".field-address a").first.get_attribute("href")
    assert link is not None
    assert page.request.get(link).text() == "before"
    page.locator(".field-file_page a").click()
    content = page.get_by_label("Content:")
    content.set_input_files({"name": "x.txt", "mimeType": "text/plain", "buffer": b"after"})
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert page.request.get(link).text() == "after"
