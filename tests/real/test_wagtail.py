"""Wagtail's documents and images with links, in Wagtail's own admin, in Chromium."""

import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.hosts.invoices import checksums_in
from tests.real.admin_sites import STATIC_FILES
from tests.real.chromium import chromium
from tests.real.samples import png
from tests.real.servers import Server, gunicorn
from tests.real.sites import (
    CHECKOUT,
    DOCUMENTED_SETTINGS,
    DOCUMENTED_URLS,
    PASSWORD,
    Site,
    new_site,
)
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
# Its tables at once: its two hundred migrations would take longer than all that follows.
MIGRATION_MODULES = dict.fromkeys([
    "wagtailadmin", "wagtailcore", "wagtaildocs", "wagtailimages", "wagtailsearch", "wagtailusers",
    "taggit",
])
# The only one that needs no tables of its own.
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database.fallback"}}
"""
# What these migrations put into the tables.
ROWS = """
from django.contrib.auth.models import Group, Permission
from wagtail.models import Collection, GroupCollectionPermission
root = Collection.add_root(name="Root")
editors = Group.objects.create(name="Editors")
editors.permissions.add(Permission.objects.get(codename="access_admin"))
for name in ("add_document", "change_document"):
    may = Permission.objects.get(codename=name)
    GroupCollectionPermission.objects.create(group=editors, collection=root, permission=may)
"""
URLS = """
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls
urlpatterns += [
    path("cms/", include(wagtailadmin_urls)), path("documents/", include(wagtaildocs_urls)),
    path("", include(wagtail_urls)),
]
"""


PAGE = (CHECKOUT / "docs" / "hosts.md").read_text()
(EXAMPLE,) = re.findall(
    r"^```python\n(import directlinks\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)

PUBLIC = "Public"
LOGGED_IN = "Private, accessible to any logged-in users"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = new_site(
        tmp_path_factory.mktemp("wagtail") / "project",
        settings=DOCUMENTED_SETTINGS + SETTINGS,
        urls=DOCUMENTED_URLS + URLS,
    )
    site.append("mysite/wsgi.py", STATIC_FILES)
    site.manage("migrate", "--run-syncdb", "-v", "0")
    site.manage("check", "--fail-level", "ERROR")
    site.shell(ROWS, f'User.objects.create_superuser("boss", "b@example.org", "{PASSWORD}")')
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
        sign_in(page)
        yield page


def sign_in(page: Page, name: str = "boss") -> None:
    page.goto("/cms/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/cms/")


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
    button = row(page, title).get_by_role("button", name="Create a direct link")
    if button.count():
        with page.expect_navigation():
            button.click()
        expect(page.get_by_text(f"“{title}” has a direct link.")).to_be_visible()
    opened = row(page, title).get_by_role("link", name="Open")
    return urlsplit(str(opened.get_attribute("href"))).path


def open_collection(page: Page, name: str) -> None:
    page.goto("/cms/collections/")
    page.locator("main").get_by_role("link", name=name).click()


def set_privacy(page: Page, collection: str, choice: str) -> None:
    open_collection(page, collection)
    page.locator("[data-a11y-dialog-show=set-privacy]").click()
    page.locator("#set-privacy").get_by_role("radio", name=choice).check()
    with page.expect_response(re.compile("privacy")) as saved:
        page.locator("#set-privacy [type=submit]").click()
    assert saved.value.ok


def put_into_collection(page: Page, title: str, collection: str) -> None:
    """By the action for many documents, of which no signal is sent."""
    page.goto("/cms/documents/")
    row(page, title).get_by_role("checkbox").check()
    page.locator("a[href*=add_to_collection]").click()
    choose(page, "Collection", collection)
    save(page)


def move_collection(page: Page, name: str, parent: str) -> None:
    open_collection(page, name)
    choose(page, "Parent", parent)
    save(page)


def choose(page: Page, label: str, text: str) -> None:
    """Choose the option with this text, which is indented as the collections are."""
    field = page.get_by_label(label)
    field.select_option(field.locator("option", has_text=text).get_attribute("value"))


def test_a_link_follows_a_document(page: Page, server: Server, site: Site) -> None:
    add_collections(site, "press", "secret")
    media = site.folder / "media"
    add_document(page, "prices", b"first")
    stored = checksums_in(media)
    path = link_in_list(page, "prices")
    assert seen(server, path) == (200, b"first")
    assert checksums_in(media) == stored

    page.get_by_role("link", name="prices", exact=True).click()
    page.locator("input[type=file]").set_input_files(file_named("prices.txt", b"second"))
    save(page)
    assert link_in_list(page, "prices") == path
    stored = checksums_in(media)
    opened = (200, b"second")
    assert seen(server, path) == opened

    set_privacy(page, "secret", LOGGED_IN)
    assert seen(server, path) == opened
    put_into_collection(page, "prices", "secret")
    assert seen(server, path) == (404, b"")
    expect(row(page, "prices").get_by_text("Private", exact=True)).to_be_visible()
    set_privacy(page, "secret", PUBLIC)
    assert seen(server, path) == opened
    set_privacy(page, "secret", LOGGED_IN)
    assert seen(server, path) == (404, b"")
    put_into_collection(page, "prices", "press")
    assert seen(server, path) == opened
    site.shell(
        "from wagtail.models import Collection, CollectionViewRestriction",
        "restriction = CollectionViewRestriction.objects.get(collection__name='secret')",
        "restriction.collection = Collection.objects.get(name='press')",
        "restriction.save()",
        "restriction.collection = Collection.objects.get(name='secret')",
        "restriction.save()",
    )
    assert seen(server, path) == opened
    move_collection(page, "press", "secret")
    assert seen(server, path) == (404, b"")
    move_collection(page, "press", "Root")
    assert seen(server, path) == opened
    assert checksums_in(media) == stored
    site.manage("directlinks_doctor")

    # Wagtail deletes the file of a document with it.
    site.shell(
        "from wagtail.documents.models import Document", "print(Document.objects.all().delete())"
    )
    assert seen(server, path) == (404, b"")


def test_a_private_document_gets_no_link(page: Page, site: Site) -> None:
    add_collections(site, "board")
    add_document(page, "minutes", b"private")
    set_privacy(page, "board", LOGGED_IN)
    put_into_collection(page, "minutes", "board")
    # In a part of the list that a search has fetched.
    page.get_by_role("textbox", name="Search").last.fill("minutes")
    page.wait_for_url("**/documents/?q=minutes*")
    with page.expect_navigation():
        row(page, "minutes").get_by_role("button", name="Create a direct link").click()
    expect(page.get_by_role("heading", name="Documents")).to_be_visible()
    expect(page.get_by_text("“minutes” is private, so it has no link.")).to_be_visible()
    expect(row(page, "minutes").get_by_role("link", name="Open")).to_have_count(0)


def test_images_have_links_too(page: Page, server: Server) -> None:
    page.goto("/cms/images/add/")
    page.get_by_label("Title").fill("logo")
    page.locator("input[type=file]").set_input_files(file_named("logo.png", png()))
    save(page)
    path = link_in_list(page, "logo", "/cms/images/?layout=list")
    assert seen(server, path)[0] == 200


def test_an_editor_needs_the_permission(browser: Browser, server: Server, site: Site) -> None:
    site.add_user("ada")
    key = site.shell(
        "from django.contrib.auth.models import Group",
        "from django.core.files.base import ContentFile",
        "from wagtail.documents.models import Document",
        "User.objects.get(username='ada').groups.add(Group.objects.get(name='Editors'))",
        "content = ContentFile(b'x', name='menu.txt')",
        "print(Document.objects.create(title='menu', file=content).pk)",
    )
    with browser.new_context(base_url=server.origin) as context:
        page = context.new_page()
        sign_in(page, "ada")
        page.goto("/cms/documents/")
        expect(row(page, "menu")).to_be_visible()
        expect(page.get_by_role("button", name="Create a direct link")).to_have_count(0)
        # What the button would send.
        cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        sent: Any = {"headers": {"X-CSRFToken": cookies["csrftoken"]}, "max_redirects": 0}
        for nothing in ("auth.user/1", "wagtaildocs.document/x", "wagtaildocs.document/0"):
            answer = context.request.post(f"/cms/directlinks/{nothing}/", **sent)
            assert answer.status == 404
        context.request.post(f"/cms/directlinks/wagtaildocs.document/{key}/", **sent)
        page.goto("/cms/documents/")
        expect(page.get_by_text("you do not have permission")).to_be_visible()
        expect(row(page, "menu").get_by_role("link", name="Open")).to_have_count(0)
        with browser.new_context(base_url=server.origin) as others:
            allow_editors(others.new_page())
        assert seen(server, link_in_list(page, "menu")) == (200, b"x")


def allow_editors(page: Page) -> None:
    """Give the group the permission on Wagtail's own page."""
    sign_in(page)
    page.goto("/cms/groups/")
    page.get_by_role("link", name="Editors").click()
    page.get_by_label("Can add direct link").check()
    save(page)


def test_a_site_may_register_documents_itself(site: Site) -> None:
    own = site.folder / "own"
    own.mkdir()
    (own / "__init__.py").touch()
    (own / "apps.py").write_text(
        "from django.apps import AppConfig\n\nclass OwnConfig(AppConfig):\n    name = 'own'\n\n"
        f"    def ready(self):\n{indent(EXAMPLE, ' ' * 8)}"
    )
    registering = site.variant("registering", 'INSTALLED_APPS.insert(0, "own")\n')
    registering.manage("check", "--fail-level", "ERROR")
    owner = registering.shell(
        "from directlinks.registry import registration_named",
        "print(registration_named('wagtaildocs.document.file').owner)",
    )
    assert owner == "uploaded_by_user"


def add_collections(site: Site, *names: str) -> None:
    site.shell(
        "from wagtail.models import Collection",
        "root = Collection.get_first_root_node()",
        f"for name in {names!r}: root.add_child(name=name)",
    )
