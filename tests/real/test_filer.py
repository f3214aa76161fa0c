"""Files and images of django-filer with links, in filer's own pages, in Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hosts.invoices import checksums_in
from tests.real.admin_sites import STATIC_FILES
from tests.real.chromium import chromium, enter_admin
from tests.real.samples import png
from tests.real.servers import Server, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, PASSWORD, Site, new_site
from tests.real.visitors import visit

pytest.importorskip("filer", reason="NOT TESTED: this needs django-filer.")

SETTINGS = """
INSTALLED_APPS += ["easy_thumbnails", "filer", "directlinks.contrib.filer"]
FILER_ENABLE_PERMISSIONS = True
MEDIA_ROOT = BASE_DIR / "media"
ALLOWED_HOSTS = ["127.0.0.1"]
"""
CLEANUP = 'INSTALLED_APPS += ["django_cleanup"]\n'
# What programs of the site have at hand.
PROGRAM = """
import json
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.test import Client
from filer.models import File, Folder, Image
from directlinks.models import DirectLink
from directlinks.services.linking import link_for

HOST = {"SERVER_NAME": "127.0.0.1"}

def client_of(name):
    client = Client(**HOST)
    client.force_login(User.objects.get(username=name))
    return client

def folder(name, parent=None, owner=None):
    return Folder.objects.create(name=name, parent=parent, owner=owner)

def add(model, folder, name="a.txt", **fields):
    file = ContentFile(b"some bytes", name=name)
    return model.objects.create(folder=folder, file=file, original_filename=name, **fields)

def act(client, folder, action, chosen, **form):
    listing = f"/admin/filer/folder/{folder.pk}/list/" if folder else "/admin/filer/folder/"
    if form:
        form["post"] = "yes"
    else:
        form["index"] = "0"
    form = {"action": action, "_selected_action": chosen, **form}
    return client.post(listing, form).status_code

def status(link):
    answer = Client(**HOST).get(link.get_absolute_url())
    if answer.status_code == 302:
        answer = Client(**HOST).get(answer["Location"])
    return answer.status_code

def statuses(links):
    return [status(link) for link in links]
"""
# An app with models that inherit from filer's, which registers them itself.
GALLERY = {
    "__init__.py": "",
    "migrations/__init__.py": "",
    "models.py": """
from django.db.models import CharField
from filer.models import File
from filer.models.abstract import BaseImage
class Photo(BaseImage):
    place = CharField(max_length=20)
    class Meta(BaseImage.Meta):
        app_label = "gallery"
        default_manager_name = "objects"
class Contract(File):
    pass
""",
    "apps.py": """
from django.apps import AppConfig
from django.db.models import Q
class GalleryConfig(AppConfig):
    name = "gallery"
    def ready(self):
        import directlinks
        from directlinks.contrib.filer.libraries import public_storage
        directlinks.register(
            "filer.File", "file", when=Q(is_public=True), storage=public_storage,
            on_delete=directlinks.DELETE,
        )
""",
    "admin.py": """
from django.contrib import admin
from directlinks.admin import DirectLinksAdminMixin
from filer.admin import FileAdmin
from gallery.models import Contract
@admin.register(Contract)
class ContractAdmin(DirectLinksAdminMixin, FileAdmin):
    pass
""",
}
PRESS = "/admin/filer/folder/1/list/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("filer") / "project"
    site = new_site(folder, settings=DOCUMENTED_SETTINGS + SETTINGS + CLEANUP)
    site.append("mysite/wsgi.py", STATIC_FILES)
    site.manage("migrate", "-v", "0")
    site.manage("check", "--fail-level", "ERROR")
    site.shell(
        "from filer.models import Folder",
        f'User.objects.create_superuser("boss", "b@example.org", "{PASSWORD}")',
        'Folder.objects.create(name="press")',
    )
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
        enter_admin(page, server.origin, "boss")
        yield page


def seen(server: Server, path: str) -> tuple[int, bytes]:
    answer = visit("GET", server.origin + path)
    return answer.status, answer.body if answer.status == 200 else b""


def stored(site: Site) -> list[dict[str, str]]:
    """What files there are, public and private, but for the thumbnails that filer makes."""
    folders = ("media/filer_public", "smedia/filer_private")
    return [checksums_in(site.folder / name) for name in folders]


def upload(page: Page, name: str, content: bytes) -> None:
    page.goto(PRESS)
    with page.expect_file_chooser() as chooser:
        page.get_by_title("Upload Files").click()
    chooser.value.set_files(file_named(name, content))
    page.wait_for_url("**order_by=-modified_at")


def file_named(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def choose(page: Page, action: str, *names: str) -> None:
    """Let the action begin for the files and folders with these names."""
    page.goto(PRESS)
    for name in names:
        page.locator("tr", has_text=name).get_by_role("checkbox").check()
    if action == "Delete":  # it has a button of its own
        button = page.locator(".js-action-delete")
    else:
        page.locator(".js-actions-menu > a").click()
        button = page.locator(".js-actions-menu").get_by_text(action)
    with page.expect_navigation():
        button.click()


def confirm(page: Page) -> None:
    with page.expect_navigation():
        page.locator("#content form [type=submit]").last.click()


def links(page: Page) -> list[str]:
    """The paths of links that the message names."""
    shown = page.locator(".messagelist a").all()
    return [urlsplit(str(one.get_attribute("href"))).path for one in shown]


def change(page: Page, name: str) -> None:
    """Open the page of the file with this name."""
    page.goto(PRESS)
    page.get_by_role("link", name=name, exact=True).click()


def save(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()


def test_links_follow_files_and_images(page: Page, server: Server, site: Site) -> None:
    picture, at_first = png(), stored(site)
    upload(page, "prices.txt", b"first")
    upload(page, "logo.png", picture)
    before = stored(site)
    choose(page, "Create direct links", "prices.txt", "logo.png")
    expect(page.get_by_text("2 direct links are ready:")).to_be_visible()
    prices, logo = links(page)
    assert seen(server, prices) == (200, b"first")
    assert seen(server, logo) == (200, picture)
    change(page, "logo.png")
    expect(page.locator(".field-direct_links").get_by_role("button", name="Copy")).to_be_visible()
    assert stored(site) == before

    change(page, "prices.txt")
    page.get_by_text("Advanced").click()
    page.locator("input[type=file]").set_input_files(file_named("list.txt", b"second"))
    save(page)
    assert seen(server, prices) == (200, b"second")

    change(page, "prices.txt")
    page.get_by_label("Permissions disabled").uncheck()
    save(page)
    before = stored(site)
    assert seen(server, prices) == (404, b"")
    choose(page, "Create direct links", "prices.txt")
    expect(page.get_by_text("0 direct links are ready:")).to_be_visible()
    assert stored(site) == before

    change(page, "prices.txt")
    page.get_by_label("Permissions disabled").check()
    save(page)
    assert seen(server, prices) == (200, b"second")

    for action, status in (("Enable", 404), ("Disable", 200)):
        choose(page, f"{action} permissions for selected files", "prices.txt", "logo.png")
        assert [seen(server, path)[0] for path in (prices, logo)] == [status, status]
    assert seen(server, logo) == (200, picture)

    choose(page, "Resize images", "logo.png")
    page.get_by_label("Width").fill("32")
    page.get_by_label("Height").fill("24")
    confirm(page)
    # Before a visit, which would find that the file is another one.
    known = site.shell(
        "from directlinks.models import File",
        'print(File.objects.get(path__endswith="logo.png").size)',
    )
    status, smaller = seen(server, logo)
    assert (status, str(len(smaller))) == (200, known)
    assert smaller != picture

    choose(page, "Delete", "prices.txt", "logo.png")
    confirm(page)
    assert seen(server, prices) == seen(server, logo) == (404, b"")
    assert stored(site) == at_first


def outcome(site: Site, *lines: str) -> Any:
    """What a program of these lines leaves as ``result``."""
    return json.loads(site.shell(PROGRAM, *lines, "print(json.dumps(result))"))


def test_links_follow_what_is_moved_and_deleted_with_its_folder(site: Site) -> None:
    result = outcome(
        site,
        'boss = client_of("boss")',
        'old, new = folder("old"), folder("new", folder("above"))',
        'links = [link_for(file.file) for file in (add(File, old), add(Image, old, "b.png"))]',
        "keys = [link.file.source_key for link in links]",
        'chosen = [f"file-{key}" for key in keys]',
        "result = [statuses(links)]",
        'act(boss, old, "move_files_and_folders", chosen, destination=new.pk)',
        "result += [new.all_files.count(), statuses(links)]",
        'act(boss, new.parent, "files_set_private", [f"folder-{new.pk}"])',
        "result += [statuses(links)]",
        'act(boss, new.parent, "files_set_public", [f"folder-{new.pk}"])',
        "result += [statuses(links)]",
        'Folder.objects.get(name="above").delete()',
        "result += [File.objects.filter(pk__in=keys).count()]",
        "result += [DirectLink.objects.filter(file__source_key__in=keys).count(), statuses(links)]",
    )
    assert result == [[200, 200], 2, [200, 200], [404, 404], [200, 200], 0, 2, [404, 404]]


def test_only_links_that_the_user_may_create_are_created(site: Site) -> None:
    result = outcome(
        site,
        'ada = User.objects.create_user("ada", is_staff=True)',
        'names = ["can_use_directory_listing", "change_folder"]',
        "ada.user_permissions.set(Permission.objects.filter(codename__in=names))",
        'own, others = folder("own", owner=ada), folder("others")',
        'inner = folder("inner", others)',
        "add(File, own), add(File, own, is_public=False), add(Image, inner)",
        "def created(*folders):",
        "    DirectLink.objects.all().delete()",
        '    keys = [f"folder-{one.pk}" for one in folders]',
        '    status = act(client_of("ada"), None, "create_direct_links", keys)',
        "    return status, DirectLink.objects.count()",
        "result = [created(own)]",
        'ada.user_permissions.add(Permission.objects.get(codename="add_directlink"))',
        "result += [created(own)]",
        "inner.parent = own",
        "inner.save()",
        "result += [created(own)]",
        "inner.owner = ada",
        "inner.save()",
        "result += [created(own), created(others)]",
    )
    assert result == [[200, 0], [302, 1], [403, 0], [302, 2], [302, 0]]


def test_models_that_inherit_from_filers_and_what_a_site_has_set_up(tmp_path: Path) -> None:
    settings = 'INSTALLED_APPS.insert(0, "gallery")\nFILER_IMAGE_MODEL = "gallery.Photo"\n'
    site = new_site(tmp_path / "project", settings=DOCUMENTED_SETTINGS + settings + SETTINGS)
    for name, text in GALLERY.items():
        place = site.folder / "gallery" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    site.manage("makemigrations", "gallery", "-v", "0")
    site.manage("migrate", "-v", "0")
    site.manage("check", "--fail-level", "ERROR")
    result = outcome(
        site,
        "from django.contrib.admin import site as pages",
        "from directlinks import registry",
        "from directlinks.admin import DirectLinksAdminMixin",
        "from gallery.models import Contract, Photo",
        "result = [registry.registration_named('filer.file.file').on_delete.value]",
        "kinds = [File, Photo, Contract]",
        "admins = [type(pages._registry[one]) for one in kinds]",
        "result += [issubclass(one, DirectLinksAdminMixin) for one in admins]",
        "result += [admins[-1].__module__]",
        "place = folder('all')",
        "files = [add(one, place, 'a.png') for one in kinds]",
        "links = [link_for(one.file) for one in files]",
        "result += [statuses(links)]",
        "for is_public in (False, True):",
        "    for one in files:",
        "        one.is_public = is_public",
        "        one.save()",
        "    result += [statuses(links)]",
        'User.objects.create_superuser("boss")',
        'keys, chosen = [one.pk for one in files], [f"file-{one.pk}" for one in files]',
        'form = {"destination": folder("copies").pk, "suffix": "x"}',
        'act(client_of("boss"), place, "copy_files_and_folders", chosen, **form)',
        "copies = [link_for(one.file) for one in File.objects.exclude(pk__in=keys)]",
        "result += [statuses(links), statuses(copies)]",
        "for one in files: one.delete()",
        "result += [statuses(copies), DirectLink.objects.count()]",
    )
    assert result == [
        "delete", True, True, True, "gallery.admin", [200] * 3, [404] * 3, [200] * 3,
        [200] * 3, [200] * 3, [200] * 3, 3,
    ]  # fmt: skip
