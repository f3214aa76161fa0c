"""The wheel, installed and wired into projects that know nothing of this checkout."""

import base64
import os
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from uuid import UUID
from zipfile import ZipFile

import pytest

from tests.real.servers import gunicorn
from tests.real.sites import (
    CHECKOUT,
    DOCUMENTED_SETTINGS,
    DOCUMENTED_URLS,
    PASSWORD,
    Site,
    new_site,
    run,
)
from tests.real.visitors import Answer, ask, log_in, put

BYTES = bytes(range(256)) * 4096
URI = "cloudreve://my/photos/cat%20%231.bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    run([*build, str(CHECKOUT)], cwd=folder, environment=os.environ)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def packages(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("packages")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-index", "--no-deps", "--target", str(folder)]
    run([*pip, *options, str(wheel)], cwd=folder, environment=os.environ)
    return folder


def add_cat(site: Site, owner: str) -> None:
    """A file of ``owner``'s, at URI, with BYTES."""
    cat = site.folder.parent / "cat #1.bin"
    cat.write_bytes(BYTES)
    site.manage("directlinks_add", owner, str(cat), "--into", "photos")


def follow(link: str, *, mount: str = "") -> Answer:
    """The answer at the end of ``link``, through a proxy that serves the site below ``mount``."""
    redirect = ask("GET", behind_proxy(link, mount))
    assert redirect.status == 302
    return ask("GET", behind_proxy(urljoin(link, redirect.headers["Location"]), mount))


def behind_proxy(url: str, mount: str) -> str:
    """``url`` as a proxy passes it on: what it adds to the path of a site, it takes away again."""
    parts = urlsplit(url)
    assert parts.path.startswith(mount + "/f/")
    return parts._replace(path=parts.path.removeprefix(mount)).geturl()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    package = CHECKOUT / "directlinks"
    files = {path.relative_to(CHECKOUT).as_posix() for path in package.rglob("*") if path.is_file()}
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())

    described = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    assert names - described == {name for name in files if "__pycache__" not in name}
    assert names > {
        "directlinks/py.typed",
        "directlinks/migrations/0001_initial.py",
        "directlinks/templates/directlinks/failure.html",
    }


def test_two_additions_to_an_untouched_project_are_enough(packages: Path, tmp_path: Path) -> None:
    site = new_site(tmp_path / "project", packages=packages)
    where = "import directlinks; print(directlinks.__file__)"
    imported = run(
        [sys.executable, "-c", where], cwd=site.folder, environment=site.environment
    ).strip()
    assert imported == str(packages / "directlinks" / "__init__.py")

    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    add_cat(site, "ada")
    with gunicorn(site) as server:
        api = f"{server.origin}/api/v4/"
        answer = put(api, log_in(api, "ada"), [URI])
        assert answer["code"] == 0
        (item,) = answer["data"]
        assert item["file_url"] == URI
        assert item["link"].startswith(f"{server.origin}/f/")
        assert follow(item["link"]).body == BYTES


# A project that decides everything itself, and nothing in our favour.
OWN_SETTINGS = f"""
{DOCUMENTED_SETTINGS}
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.Person"
MEDIA_ROOT = BASE_DIR / "media"
USE_TZ = False
TIME_ZONE = "America/New_York"
DATABASES["default"]["ATOMIC_REQUESTS"] = True
FORCE_SCRIPT_NAME = "/app"
REST_FRAMEWORK = {{
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["2"],
    "EXCEPTION_HANDLER": "people.models.teapot",
}}
"""

TEAPOT = """
def teapot(exc, context):
    from rest_framework.response import Response
    return Response("short and stout", status=418)
"""

PEOPLE_WITH_A_UUID = f"""
import uuid
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

class Person(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    objects = BaseUserManager()
    USERNAME_FIELD = "email"
{TEAPOT}
"""

# Neither staff nor inactive users, no e-mail address and no date of joining.
BARE_PEOPLE = f"""
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

class Person(AbstractBaseUser):
    nickname = models.CharField(max_length=50, unique=True)
    objects = BaseUserManager()
    USERNAME_FIELD = "nickname"
{TEAPOT}
"""


def site_of_its_own(folder: Path, *, packages: Path, people: str, prefix: str) -> Site:
    """A project of its own mind, with the API at ``prefix``, and no users yet."""
    urls = DOCUMENTED_URLS.replace("api/v4/", prefix)
    site = new_site(folder, packages=packages, settings=OWN_SETTINGS, urls=urls)
    (site.folder / "people").mkdir()
    (site.folder / "people" / "__init__.py").touch()
    (site.folder / "people" / "models.py").write_text(people)
    site.manage("makemigrations", "people", "-v", "0")
    site.manage("migrate", "-v", "0")
    return site


def add_person(site: Site, **fields: object) -> str:
    """The key of a new person with PASSWORD."""
    return site.shell(
        f"person = Person(**{fields!r})",
        f"person.set_password({PASSWORD!r})",
        "person.save()",
        "print(person.pk)",
    )


def test_a_project_keeps_its_user_model_and_its_settings(packages: Path, tmp_path: Path) -> None:
    prefix = "internal/files/"
    site = site_of_its_own(
        tmp_path / "project", packages=packages, people=PEOPLE_WITH_A_UUID, prefix=prefix
    )
    ada = UUID(add_person(site, email="ada@example.org"))
    add_person(site, email="root@example.org", is_staff=True)
    add_cat(site, "ada@example.org")
    foreign = f"cloudreve://{ada}@my/photos/cat%20%231.bin"

    with gunicorn(site) as server:
        api = f"{server.origin}/{prefix}"
        as_ada, as_root = log_in(api, "ada@example.org"), log_in(api, "root@example.org")
        basic = base64.b64encode(f"ada@example.org:{PASSWORD}".encode()).decode()
        asked = [(as_ada, URI), ({"Authorization": f"Basic {basic}"}, URI), (as_root, foreign)]
        answers = [put(api, headers, [uri]) for headers, uri in asked]
        nobody = put(api, {}, [URI])
        link = answers[0]["data"][0]["link"]
        content = follow(link, mount="/app")

    assert [answer["code"] for answer in answers] == [0, 0, 0]
    assert [answer["data"] for answer in answers] == [
        [{"link": link, "file_url": uri}] for _, uri in asked
    ]
    assert unquote(urlsplit(link).path).startswith("/app/f/")
    assert nobody["code"] == 401
    assert content.body == BYTES


def test_a_bare_user_model_and_the_api_at_the_root_will_do(packages: Path, tmp_path: Path) -> None:
    site = site_of_its_own(tmp_path / "project", packages=packages, people=BARE_PEOPLE, prefix="")
    key = add_person(site, nickname="ada")
    add_person(site, nickname="eve")
    add_cat(site, "ada")

    with gunicorn(site) as server:
        api = f"{server.origin}/"
        own = put(api, log_in(api, "ada"), [URI])
        foreign = f"cloudreve://{key}@my/photos/cat%20%231.bin"
        strange = put(api, log_in(api, "eve"), [foreign])
        content = follow(own["data"][0]["link"], mount="/app")

    assert own["code"] == 0
    assert content.body == BYTES
    assert strange["aggregated_error"][foreign]["code"] == 403
