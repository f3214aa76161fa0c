"""What depends on the tenant that is served. tests/real/test_tenants.py has real ones."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django.fixtures import Settings
from rest_framework_simplejwt.tokens import AccessToken

from directlinks.tenants import current_tenant, may_be_shared
from tests.api.clients import APIClient
from tests.factories import PASSWORD, UserFactory

SIMPLEJWT = "rest_framework_simplejwt.authentication.JWTAuthentication"

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenants(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve the tenant of this name, as django-tenants would."""
    is_installed = apps.is_installed
    extra = {"django_tenants"}
    monkeypatch.setattr(apps, "is_installed", lambda app: app in extra or is_installed(app))
    wrapper: Any = connections["default"]
    monkeypatch.setattr(wrapper, "schema_name", "public", raising=False)
    settings.DIRECTLINKS = {}  # all are read anew

    def serve(name: str) -> None:
        wrapper.schema_name = name

    return serve


class OfTheTenants(FileSystemStorage):
    """As django-tenants' own, by where it is defined."""

    __module__ = "django_tenants.files.storage"


def test_a_site_without_tenants_has_none() -> None:
    assert current_tenant() is None
    assert not may_be_shared(FileSystemStorage())


def test_the_schema_is_the_tenant(tenants: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants("a")
    assert current_tenant() == "a"
    wrapper = connections["default"]
    monkeypatch.delattr(wrapper, "schema_name")
    monkeypatch.setattr(wrapper, "schema", SimpleNamespace(schema_name="b"), raising=False)
    assert current_tenant() == "b"


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        (FileSystemStorage("/srv/a"), True),
        (OfTheTenants("/srv/a"), False),
        (OfTheTenants("/srv"), True),  # a location that the site has set is that of all tenants
    ],
)
def test_a_storage_is_shared_unless_each_tenant_has_a_folder(
    tenants: Any, storage: Any, expected: bool
) -> None:
    tenants("a")
    assert may_be_shared(storage) is expected


def test_users_in_another_database_are_a_fault(
    tenants: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(connections["default"], "schema_name")
    with pytest.raises(ImproperlyConfigured, match="tenants' database"):
        current_tenant()


def test_contents_in_a_shared_storage_are_not_removed(tenants: Any) -> None:
    with pytest.raises(CommandError, match="other tenants"):
        call_command("directlinks_prune", "--bytes", "--yes")
    call_command("directlinks_prune", "--yes")


@pytest.mark.parametrize("own", [[], [SIMPLEJWT]], ids=["ours", "the site's own too"])
def test_a_token_of_a_tenant_is_none_of_another(
    tenants: Any, own: list[str], settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": own}
    user = UserFactory(username="ada", email="ada@example.org")
    api = APIClient()

    def listed(token: str) -> int:
        api.headers["Authorization"] = f"Bearer {token}"
        return int(api.get("file/source").json()["code"])

    tenants("a")
    login = {"email": "ada@example.org", "password": PASSWORD}
    tokens = api.call("POST", "session/token", login).json()["data"]["token"]
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert listed(tokens["access_token"]) == 0
    # One of the site's own views, which does not say whose it is.
    assert listed(str(AccessToken.for_user(user))) != 0
    del api.headers["Authorization"]
    tenants("b")
    assert api.call("POST", "session/token/refresh", refresh).json()["code"] != 0
    assert api.call("DELETE", "session/token", refresh).json()["code"] != 0
    assert listed(tokens["access_token"]) != 0
    del api.headers["Authorization"]
    tenants("a")
    again = api.call("POST", "session/token/refresh", refresh).json()["data"]
    assert listed(again["access_token"]) == 0
