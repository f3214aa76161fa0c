"""django-tenants gives each tenant a schema, in which its downloads are counted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.database_servers import PostgreSQL, server_folder
from tests.real.servers import Server, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.visitors import Answer, ask

TENANTS = """
import dj_database_url
DEBUG = False
ALLOWED_HOSTS = ["*"]
MEDIA_ROOT = BASE_DIR / "media"
SHARED_APPS = ["django_tenants", "customers", "django.contrib.contenttypes"]
TENANT_APPS = [app for app in INSTALLED_APPS if app not in SHARED_APPS]
INSTALLED_APPS = SHARED_APPS + TENANT_APPS
TENANT_MODEL, TENANT_DOMAIN_MODEL = "customers.Customer", "customers.Domain"
MIDDLEWARE.insert(0, "django_tenants.middleware.main.TenantMainMiddleware")
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DATABASES = {{"default": {{
    **dj_database_url.parse({url!r}), "ENGINE": "django_tenants.postgresql_backend"
}}}}
"""
MODELS = """
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Customer(TenantMixin):
    auto_create_schema = True


class Domain(DomainMixin):
    pass
"""
OWN_STORAGE = """
from django.conf.global_settings import STORAGES
OWN = "django_tenants.files.storage.TenantFileSystemStorage"
STORAGES = {**STORAGES, "default": {"BACKEND": OWN}}
"""
VISITS = {"a": 3, "b": 2}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for module in ("django_tenants", PostgreSQL.driver):
        pytest.importorskip(module, reason="NOT TESTED: this needs the drivers of databases.")
    with server_folder(PostgreSQL.user) as folder:
        server = PostgreSQL(folder)
        server.start()
        try:
            settings = DOCUMENTED_SETTINGS + TENANTS.format(url=server.url)
            site = new_site(tmp_path / "project", settings=settings)
            (site.folder / "customers").mkdir()
            (site.folder / "customers" / "__init__.py").touch()
            (site.folder / "customers" / "models.py").write_text(MODELS)
            site.manage("makemigrations", "customers", "-v", "0")
            site.manage("migrate_schemas", "--shared", "-v", "0")
            yield site
        finally:
            server.stop()


def links_of_tenants(site: Site, limits: str = "") -> dict[str, str]:
    """The path of a link with ``limits`` to a file of each tenant, by its name."""
    made = site.shell(
        "import json",
        "from customers.models import Customer, Domain",
        "from django.contrib.auth.models import User",
        "from django.core.files.base import ContentFile",
        "from django_tenants.utils import schema_context",
        "from directlinks.models import DirectLink, File",
        "from django.contrib.auth.hashers import make_password",
        "def add(name):",
        "    tenant = Customer.objects.create(schema_name=name)",
        '    Domain.objects.create(tenant=tenant, domain=name + ".test", is_primary=True)',
        "    with schema_context(name):",
        '        ada = User.objects.create_user("ada")',
        '        content = ContentFile(name.encode(), name="a.txt")',
        '        file = File.objects.create(owner=ada, path="a.txt", content=content)',
        f"        return DirectLink.objects.create(file=file, {limits}).get_absolute_url()",
        f"print(json.dumps({{name: add(name) for name in {list(VISITS)!r}}}))",
    )
    return dict(json.loads(made.splitlines()[-1]))


def downloads_of_tenants(site: Site) -> dict[str, list[int]]:
    counted = site.shell(
        "import json",
        "from django.db.models import Sum",
        "from django_tenants.utils import schema_context",
        "from directlinks.models import DirectLink",
        "def count(name):",
        "    with schema_context(name):",
        '        links = DirectLink.objects.annotate(sum=Sum("days__downloads"))',
        '        return links.values_list("pk", "downloads", "sum").get()',
        f"print(json.dumps({{name: count(name) for name in {list(VISITS)!r}}}))",
    )
    return dict(json.loads(counted.splitlines()[-1]))


def test_each_tenant_has_its_downloads_with_a_counter_that_would_lose_them(
    site: Site, tmp_path: Path
) -> None:
    chosen = {"BACKEND": "journal", "OPTIONS": {"directory": str(tmp_path)}}
    counting = site.variant("journal", f"DIRECTLINKS = {{'COUNTER': {chosen!r}}}\n")
    paths = links_of_tenants(site)
    with gunicorn(counting, workers=2) as server:
        for name, times in VISITS.items():
            for _ in range(times):
                answer = ask("GET", server.origin + paths[name], headers={"Host": f"{name}.test"})
                assert answer.status == 302
        # At once, and although both links have the same key.
        assert downloads_of_tenants(site) == {
            name: [1, times, times] for name, times in VISITS.items()
        }
    with pytest.raises(AssertionError, match=r"directlinks\.E035"):
        counting.manage("check")


TOKENS = """
import json
from django_tenants.utils import schema_context
from directlinks.api.authentication import token_pair
from django.contrib.auth.models import User
def token(name):
    with schema_context(name):
        return token_pair(User.objects.get(username="ada"))["access_token"]
print(json.dumps({name: token(name) for name in ("a", "b")}))
"""


def test_the_api_and_commands_see_one_tenant(site: Site) -> None:
    paths = links_of_tenants(site)
    tokens = json.loads(site.shell(TOKENS).splitlines()[-1])
    with gunicorn(site) as server:

        def listed(tenant: str, token: str) -> Answer:
            headers = {"Host": f"{tenant}.test", "Authorization": f"Bearer {token}"}
            return ask("GET", f"{server.origin}/api/v4/file/source", headers=headers)

        for tenant, other in (("a", "b"), ("b", "a")):
            # Both tenants have a user of this key.
            assert json.loads(listed(tenant, tokens[other]).body)["code"] != 0
            (link,) = json.loads(listed(tenant, tokens[tenant]).body)["data"]["links"]
            assert link["url"].endswith(paths[tenant])

    # Contents of all tenants lie in one folder.
    prune = ("tenant_command", "directlinks_prune", "--bytes", "--yes", "--schema=a")
    with pytest.raises(AssertionError, match="other tenants"):
        site.manage(*prune)
    assert len([one for one in (site.folder / "media").rglob("*") if one.is_file()]) == 2
    own = site.variant("own", OWN_STORAGE)
    assert "Removed: nothing." in own.manage(*prune)
    (row,) = site.manage("tenant_command", "directlinks_export", "--schema=a").splitlines()
    assert json.loads(row)["code"] in paths["a"]


PASSWORD = "password=make_password(name)"
MIDDLEWARE = "directlinks.contrib.fastlane.middleware.DirectLinksMiddleware"
DOORS = {
    "the view": "",
    "the middleware": f"MIDDLEWARE.insert(0, '{MIDDLEWARE}')\n",
    "the wrapper": "",
}


@pytest.mark.parametrize("limits", ["", PASSWORD], ids=["open", "with passwords"])
def test_a_ticket_of_a_tenant_opens_no_link_of_another(limits: str, site: Site) -> None:
    paths = links_of_tenants(site, limits)
    (site.folder / "wrapped.py").write_text(
        "from directlinks.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    )
    for place, (door, settings) in enumerate(DOORS.items()):
        served = site.variant(f"served{place}", settings + "DIRECTLINKS = {'CACHE_SECONDS': 60}\n")
        module = "wrapped" if door == "the wrapper" else "mysite.wsgi"
        with gunicorn(served, threads=1, application=f"{module}:application") as server:
            check_tickets(server, paths)


def check_tickets(server: Server, paths: dict[str, str]) -> None:
    """Compare what the link and the ticket of each tenant open there, and for the other tenant."""

    def get(path: str, tenant: str) -> Answer:
        headers = {"Host": f"{tenant}.test", "X-Link-Password": tenant}
        return ask("GET", server.origin + path, headers=headers)

    targets = {}
    for tenant, path in paths.items():
        location = get(path, tenant).headers["Location"]
        targets[tenant] = location[location.index("/f/t/") :]
    for tenant, other in (("a", "b"), ("b", "a")):
        # Each after a request for the other, whose schema the connection may still have.
        assert get(targets[tenant], tenant).body == tenant.encode()
        assert get(targets[tenant], other).status == 403
        assert get(paths[tenant], other).status == 404
        assert get(targets[tenant], tenant).body == tenant.encode()
