"""Chromium, and the admin in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from tests.real.programs import needed
from tests.real.samples import colour_of_pixel
from tests.real.sites import PASSWORD

OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@contextmanager
def chromium() -> Iterator[Browser]:
    program = needed("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


class Chromium:
    """One window of one browser."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, expression: str) -> object:
        return self.page.evaluate(expression)

    def pixel(self, x: int, y: int) -> bytes:
        """Return red, green and blue of what the window shows there."""
        clip: FloatRect = {"x": x, "y": y, "width": 1, "height": 1}
        return colour_of_pixel(self.page.screenshot(clip=clip))

    def save(self, url: str) -> bytes:
        """Return what is saved of ``url``, which the browser must not show."""
        with (
            self.page.expect_download() as download,
            pytest.raises(BrowserError, match="Download is starting"),
        ):
            self.page.goto(url)
        return download.value.path().read_bytes()


@contextmanager
def chromium_window() -> Iterator[Chromium]:
    with chromium() as browser, browser.new_context() as context:
        yield Chromium(context.new_page())


def enter_admin(page: Page, origin: str, name: str) -> None:
    """Log in to the admin of the site at ``origin``, as a person does."""
    page.goto(f"{origin}/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()
