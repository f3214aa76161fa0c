"""A link that asks first, in a real browser without scripts: its page, its button, and the file."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.real.chromium import chromium
from tests.real.object_storage import rclone, site_on
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site
from tests.real.test_browser import PNG
from tests.real.test_delivery_table import delivered_by

HTML = b"<title>Not shown</title>"


@dataclass(frozen=True, slots=True)
class Door:
    """A running site whose files are delivered in one way."""

    name: str
    site: Site
    server: Server

    def new_link(self, path: str, data: bytes, limits: str = "") -> str:
        path = f"{self.name}/{path}"
        paths = self.site.add_links({path: data}, f"ask_first=True, {limits}")
        return self.server.origin + paths[path]

    def downloads(self, link: str) -> int:
        code = link.split("/")[-2]
        return int(
            self.site.shell(
                "from directlinks.models import DirectLink",
                f"print(DirectLink.objects.get(code={code!r}).downloads)",
            )
        )


@pytest.fixture(
    scope="module", params=["signed_url.SignedURLBackend", "stream.StreamBackend", "S3"]
)
def door(request: pytest.FixtureRequest, public_site: Site) -> Iterator[Door]:
    name = str(request.param).partition(".")[0].lower()
    with ExitStack() as stack:
        if name == "s3":
            storage = stack.enter_context(rclone(public_site.folder.parent / "s3"))
            site = site_on(storage, public_site, "asking_s3")
        else:
            site = public_site.variant(f"asking_{name}", delivered_by(request.param))
        yield Door(name, site, stack.enter_context(gunicorn(site)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(java_script_enabled=False, locale="en-US") as context:
        yield context.new_page()


def test_the_button_leads_to_an_image_that_can_be_loaded_again(door: Door, page: Page) -> None:
    link = door.new_link("photo.png", PNG, "max_downloads=1")
    asked = page.goto(link)
    assert asked is not None
    assert asked.status == 428
    assert page.get_by_role("heading", level=1).inner_text() == "photo.png"

    with page.expect_navigation() as shown:
        page.get_by_role("button").click()
    assert (shown.value.status, shown.value.body()) == (200, PNG)
    again = page.reload()
    assert again is not None
    assert again.status in (200, 304)
    assert door.downloads(link) == 1

    used_up = page.goto(link)
    assert used_up is not None
    assert used_up.status == 410


def test_the_button_saves_what_is_not_shown_and_can_be_pressed_again(
    door: Door, page: Page
) -> None:
    link = door.new_link("page.html", HTML)
    page.goto(link)
    for number in (1, 2):
        with page.expect_download() as download:
            page.get_by_role("button").click()
        assert download.value.suggested_filename == "page.html"
        assert download.value.path().read_bytes() == HTML
        assert door.downloads(link) == number
    assert page.url == link


def test_a_password_is_given_on_the_same_page_by_the_same_click(door: Door, page: Page) -> None:
    secret = door.site.shell(
        "from django.contrib.auth.hashers import make_password",
        "print(make_password('open sesame'))",
    ).strip()
    link = door.new_link("secret.png", PNG, f"password={secret!r}")
    page.goto(link)
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button").click()
    page.get_by_text("Wrong password").wait_for()
    assert door.downloads(link) == 0

    page.get_by_label("Password").fill("open sesame")
    with page.expect_navigation() as shown:
        page.get_by_role("button").click()
    assert (shown.value.status, shown.value.body()) == (200, PNG)
    assert door.downloads(link) == 1

    # From now on the browser knows it.
    page.goto(link)
    assert page.get_by_label("Password").count() == 0
    with page.expect_navigation() as shown:
        page.get_by_role("button").click()
    assert shown.value.body() == PNG


def test_the_click_of_a_visitor_from_an_allowed_site_is_let_in(door: Door, page: Page) -> None:
    link = door.new_link("embedded.png", PNG, "referers='localhost'")

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<a href='{link}'>photo</a>".encode())

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{server.server_port}/")
        page.get_by_role("link").click()
        server.shutdown()
    page.get_by_role("heading", name="embedded.png").wait_for()
    with page.expect_navigation() as shown:
        page.get_by_role("button").click()
    assert (shown.value.status, shown.value.body()) == (200, PNG)


@pytest.mark.parametrize(
    ("scheme", "locale", "language"), [("light", "en-US", "en"), ("dark", "zh-CN", "zh-hans")]
)
def test_the_page_is_readable_on_a_phone(
    door: Door,
    browser: Browser,
    scheme: Literal["light", "dark"],
    locale: str,
    language: str,
    tmp_path: Path,
) -> None:
    link = door.new_link(f"{scheme} {'and a very long name ' * 9}.pdf", PNG)
    phone: ViewportSize = {"width": 375, "height": 667}
    with browser.new_context(color_scheme=scheme, viewport=phone, locale=locale) as context:
        page = context.new_page()
        page.goto(link)
        page.screenshot(path=tmp_path / "page.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        assert page.evaluate("document.activeElement.tagName") == "BUTTON"
        assert page.locator("html").get_attribute("lang") == language
