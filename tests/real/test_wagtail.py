"""Wagtail's documents and images with links, in Wagtail's own admin, in Chromium."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.hosts.invoices import checksums_in
from tests.real.admin_sites import STATIC_FILES
from tests.real.chromium import chromium
from tests.real.servers import Server, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, DOCUMENTED_URLS, PASSWORD, Site, new_site
from tests.real.visitors import visit

pytest.importorskip("wagtail", reason="NOT TESTED: this needs Wagtail.")

SETTINGS = """
INSTALLED_APPS += [
    "wagtail.users", "wagtail.documents", "wagtail.images", "wagtail.search", "wagtail.admin",
    "wagtail", "modelcluster", "taggit", "directlinks.contrib.wagtail", "django_cleanup",
]
WAGTAIL_SITE_NAME = "mysite"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1"
MEDIA_ROOT = BASE_DIR / "media"
ALLOWED_HOSTS = ["127.0.0.1"]
"""
URLS = """
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls
urlpatterns += [
    path("cms/", include(wagtailadmin_urls)), path("documents/", include(wagtaildocs_urls)),
]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = new_site(
        tmp_path_factory.mktemp("wagtail") / "project",
        settings=DOCUMENTED_SETTINGS + SETTINGS,
        urls=DOCUMENTED_URLS + URLS,
    )
    site.append("mysite/wsgi.py", STATIC_FILES)
    site.manage("migrate", "-v", "0")
    site.manage("check", "--fail-level", "ERROR")
    site.shell(f'User.objects.create_superuser("boss", "b@example.org", "{PASSWORD}")')
    site.add_user("ada")
    return site


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with gunicorn(site) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with browser.new_context(base_url=server.origin) as context:
        page = context.new_page()
        page.goto("/cms/login/")
        page.get_by_label("Username").fill("boss")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/cms/")
        yield page


def seen(server: Server, path: str) -> tuple[int, bytes]:
    answer = visit("GET", server.origin + path)
    return answer.status, answer.body if answer.status == 200 else b""


def file_named(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def add_document(page: Page, title: str, content: bytes) -> None:
    page.goto("/cms/documents/add/")
    page.get_by_label("Title").fill(title)
    page.locator("input[type=file]").set_input_files(file_named(f"{title}.txt", content))
    save(page)


def save(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main form button[type=submit]").last.click()


def row(page: Page, title: str) -> Locator:
    return page.locator("tr", has_text=title)


def link_in_list(page: Page, title: str, listing: str = "/cms/documents/") -> str:
    """Return the path of the link in the list, which a button creates if there is none."""
    page.goto(listing)
    button = row(page, title).get_by_role("button", name="Create direct link")
    if button.count():
        with page.expect_navigation():
            button.click()
        expect(page.get_by_text(f"“{title}” has a direct link.")).to_be_visible()
    opened = row(page, title).get_by_role("link", name="Open")
    return urlsplit(str(opened.get_attribute("href"))).path


def set_privacy(page: Page, collection: str, choice: str) -> None:
    page.goto("/cms/collections/")
    page.get_by_role("link", name=collection).first.click()
    page.get_by_role("button", name=re.compile("privacy", re.IGNORECASE)).first.click()
    page.get_by_label(choice).check()
    with page.expect_response(re.compile("privacy")):
        page.get_by_role("dialog").get_by_role("button", name="Save").click()


def test_documents(page: Page, server: Server, site: Site) -> None:
    media = site.folder / "media"
    add_document(page, "prices", b"first")
    stored = checksums_in(media)
    path = link_in_list(page, "prices")
    page.screenshot(path="/tmp/w2.png")
    assert seen(server, path) == (200, b"first")
    assert checksums_in(media) == stored

    page.get_by_role("link", name="prices", exact=True).click()
    page.locator("input[type=file]").set_input_files(file_named("prices.txt", b"second"))
    save(page)
    assert link_in_list(page, "prices") == path
    assert seen(server, path) == (200, b"second")

    site.shell(
        "from wagtail.models import Collection",
        "root = Collection.get_first_root_node()",
        "for name in ('press', 'board'): root.add_child(name=name)",
    )
    stored = checksums_in(media)
    set_privacy(page, "board", "Accessible to any logged-in users")
    page.screenshot(path="/tmp/w3.png")
    # Into a private collection by the bulk action, and out by the form.
    page.goto("/cms/documents/")
    row(page, "prices").get_by_role("checkbox").check()
    page.get_by_role("link", name="Add to collection").or_(
        page.get_by_role("button", name="Add to collection")
    ).first.click()
    page.get_by_label("Collection").select_option("board")
    save(page)
    assert seen(server, path) == (404, b"")
