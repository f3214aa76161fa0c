"""``make screenshots``: each page of the admin in light, in dark, and on a phone.

``python -m tests.real.screenshots [folder]`` puts them all into var/screenshots, and into the
folder, docs/images without one, those that the documentation shows.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.real.admin_sites import STAFF, admin_site
from tests.real.chromium import chromium, enter_admin
from tests.real.servers import gunicorn
from tests.real.sites import CHECKOUT

DESK, PHONE = {"width": 1400, "height": 800}, {"width": 375, "height": 812}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": DESK},
    "dark": {"color_scheme": "dark", "viewport": DESK},
    "phone": {"color_scheme": "light", "viewport": PHONE},
    "phone-dark": {"color_scheme": "dark", "viewport": PHONE},
}
SHOWN = ("links-light", "dashboard-dark", "link-light", "links-phone")
LINKS = "/admin/directlinks/directlink/"
FILES = "/admin/directlinks/file/"


def pages(page: Page, origin: str) -> Iterator[str]:
    """The names of the pages, each while it is on show."""
    page.goto(f"{origin}{LINKS}?_facets=True")
    yield "links"
    page.goto(f"{origin}{LINKS}dashboard/")
    yield "dashboard"
    page.goto(f"{origin}{LINKS}?q=logo")
    with page.expect_navigation():
        page.locator("#result_list tbody th a").first.click()
    yield "link"
    with page.expect_navigation():
        page.get_by_role("button", name="Give a new address").click()
    yield "confirmation"
    page.goto(f"{origin}{FILES}")
    yield "files"
    page.goto(f"{origin}{FILES}?q=logo")
    with page.expect_navigation():
        page.locator("#result_list tbody th a").first.click()
    yield "file"


def take(browser: Browser, origin: str, folder: Path, shown: Path) -> None:
    """All pages as they are whole into ``folder``, and as a screen shows them into ``shown``."""
    for look, options in LOOKS.items():
        with browser.new_context(**options) as context:
            page = context.new_page()
            enter_admin(page, origin, STAFF)
            for name in pages(page, origin):
                page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
                if f"{name}-{look}" in SHOWN:
                    if name == "link":  # what a form does not show
                        page.locator("#dl-actions").evaluate("heading => heading.scrollIntoView()")
                    page.screenshot(path=shown / f"{name}-{look}.png")


def main() -> None:
    shown = Path(sys.argv[1]) if sys.argv[1:] else CHECKOUT / "docs" / "images"
    folder = CHECKOUT / "var" / "screenshots"
    for place in (shown, folder):
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        site = admin_site(Path(scratch, "project"))
        with gunicorn(site) as server, chromium() as browser:
            take(browser, server.origin, folder, shown)


if __name__ == "__main__":
    main()
