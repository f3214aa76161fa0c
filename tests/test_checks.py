"""Each check has an id of its own, and a test that provokes exactly that id."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import CheckMessage, run_checks
from django.core.files.storage import Storage
from django.db import connections, models
from django.test.utils import isolate_apps
from django.utils.functional import cached_property
from django_cleanup import cache
from pytest_django.fixtures import Settings

from directlinks import checks
from directlinks.conf import SETTINGS
from example_project.settings import DIRECTLINKS

HANDOVER = "directlinks.delivery.backends.web_server"
REDIRECT = "directlinks.delivery.backends.storage_url.StorageURLBackend"
BUCKET = {"BACKEND": "tests.storages.Bucket"}


class OnlyAllows:
    """Half a policy."""

    allows = None


class Neither:
    """No policy at all."""


class NoBackend:
    """It can be made like a delivery backend, and is none."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage


def delivery(backend: str, **options: Any) -> dict[str, Any]:
    return {"DELIVERY": {"BACKEND": backend, "OPTIONS": options}}


def counter(backend: str, **options: Any) -> dict[str, Any]:
    return {"BACKEND": backend, "OPTIONS": options}


def found() -> list[CheckMessage]:
    return run_checks(tags=["directlinks"])


def ids() -> list[str | None]:
    return [message.id for message in found()]


@pytest.mark.parametrize("declared", [{}, DIRECTLINKS])
def test_the_defaults_have_no_fault(settings: Settings, declared: dict[str, Any]) -> None:
    settings.DIRECTLINKS = declared
    assert found() == []


def test_a_site_need_not_declare_anything(settings: Settings) -> None:
    assert not hasattr(settings, "DIRECTLINKS")
    assert found() == []


PROVOKED: list[tuple[str, Any]] = [
    ("E001", []),
    ("E001", None),
    ("E002", {"BATCH_SIZE": -1}),
    ("E003", {"MAX_BATCH_SIZE": 0}),
    ("E004", {"ALWAYS_200": "yes"}),
    ("E005", {"POLICY": 7}),
    ("E006", {"CODE_LENGTH": 3}),
    ("E007", {"CODE_ALPHABET": "a"}),
    ("E008", {"BASE_URL": "//example.org"}),
    ("E009", {"TARGET_SECONDS": 0}),
    ("E010", {"REDIRECT_HOSTS": "example.org"}),
    ("E011", {"INLINE_TYPES": None}),
    ("E037", {"CONTENT_TYPES": {"step": "model/step"}}),
    ("E012", {"PREVIEW_AGENTS": "bot"}),
    ("E013", {"LOGIN_RATE": "often"}),
    ("E014", {"POLICY": "directlinks.policies.Missing"}),
    ("E014", {"POLICY": "no_such_module.Policy"}),
    ("E015", {"POLICY": f"{__name__}.OnlyAllows"}),
    ("E015", {"POLICY": f"{__name__}.Neither"}),
    ("E016", {"REDIRECT_MAX_AGE": -1}),
    ("E017", {"DELIVERY": "stream"}),
    ("E018", delivery(f"{HANDOVER}.AccelBackend", location="protected")),
    ("E018", delivery(f"{HANDOVER}.AccelBackend", location=None)),
    ("E042", delivery(REDIRECT, public_endpoint="files.example.org")),
    ("E043", delivery(REDIRECT, public_endpoint="https://files.example.org")),
    ("E019", {"CORS": "on"}),
    ("E020", {"BASE_URL": "example.org"}),
    ("E020", {"BASE_URL": f"{__name__}.missing"}),
    ("E020", {"BASE_URL": f"{__name__}.PROVOKED"}),
    ("E021", delivery("no_such_module.Backend")),
    ("E021", delivery("directlinks.delivery.backends.stream.Missing")),
    ("E021", delivery("directlinks.delivery.backends.stream")),
    ("E021", delivery("directlinks.delivery.base.DeliveryBackend")),
    ("E021", delivery("directlinks.delivery.backends.stream.StreamBackend", location="/x/")),
    ("E021", delivery(f"{__name__}.NoBackend")),
    ("E023", {"COUNTER": "guess"}),
    ("E024", {"CACHE_SECONDS": -1}),
    ("E025", {"DEFAULT_LIFE": 0}),
    ("E026", {"MAX_LIFE": "a day"}),
    ("E027", {"GROUP_LIMITS": {"guests": {"MAX_SIZE": 1}}}),
    ("E028", {"REUSE": 1}),
    ("E029", {"VISIT_RULE": None}),
    ("E030", {"UNKNOWN_RATE": "often"}),
    ("E031", {"COUNTER": "journal"}),
    ("E031", {"COUNTER": counter("journal", directory="/nowhere/counts")}),
    ("E031", {"COUNTER": counter("journal", directory="")}),
    ("E031", {"COUNTER": counter("journal", directory="relative")}),
    ("E031", {"COUNTER": counter("journal", directory="/a\0b")}),
    ("E031", {"COUNTER": counter("redis", url="localhost")}),
    ("E031", {"COUNTER": counter("redis", url=None)}),
    ("E031", {"COUNTER": counter("redis", url="redis://127.0.0.1:1/0", prefix="")}),
    ("E031", {"COUNTER": counter("redis", url="redis://127.0.0.1:1/0?no_such=option")}),
    ("E031", {"COUNTER": counter("redis", url="redis://127.0.0.1:1/0?decode_responses=True")}),
    ("E031", {"COUNTER": counter("redis", url="redis://127.0.0.1:1/0?encoding=utf-16")}),
    ("E031", {"COUNTER": counter("no_such_module.Counter")}),
    ("E031", {"COUNTER": counter(f"{__name__}.Neither")}),
    ("E032", {"VISIT_RULE": f"{__name__}.missing"}),
    ("E032", {"VISIT_RULE": f"{__name__}.PROVOKED"}),
    ("W001", {"BATCHSIZE": 7}),
    ("W001", {7: 7}),
    ("W004", {"CODE_LENGTH": 20}),
    ("W004", {"CODE_ALPHABET": "ab"}),
    ("W005", {"BATCH_SIZE": 3001}),
    (
        "W011",
        {
            "DELIVERY": {
                "elsewhere": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}
            }
        },
    ),
]


@pytest.mark.parametrize(("check", "declared"), PROVOKED)
def test_each_fault_has_its_id(settings: Settings, check: str, declared: object) -> None:
    settings.DIRECTLINKS = declared
    assert ids() == [f"directlinks.{check}"]


@pytest.mark.parametrize("tenants", ["django_tenants", "tenant_schemas", "django_pgschemas"])
def test_a_counter_outside_of_the_database_is_refused_with_schemas_of_tenants(
    tenants: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_installed = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda app: app == tenants or is_installed(app))
    assert ids() == []
    for chosen in (
        counter("journal", directory=str(tmp_path)),
        counter("redis", url="redis://127.0.0.1:1/0"),
    ):
        settings.DIRECTLINKS = {"COUNTER": chosen}
        assert ids() == ["directlinks.E035"]


def test_no_setting_is_without_a_test_of_its_check() -> None:
    provoked = {f"directlinks.{check}" for check, _ in PROVOKED}
    assert {setting.check for setting in SETTINGS.values()} - provoked == set()


def test_all_faults_of_settings_are_told_at_once(settings: Settings) -> None:
    settings.DIRECTLINKS = {"BATCH_SIZE": -1, "POLICY": 7, "BATCHSIZE": 7}
    assert ids() == ["directlinks.E002", "directlinks.E005", "directlinks.W001"]


def test_errors_and_warnings_are_told_apart(settings: Settings) -> None:
    settings.DIRECTLINKS = {"BATCH_SIZE": -1, "BATCHSIZE": 7}
    assert [message.is_serious() for message in found()] == [True, False]


def test_a_fault_names_the_setting_and_what_it_may_hold(settings: Settings) -> None:
    settings.DIRECTLINKS = {"BATCH_SIZE": -1}
    (fault,) = found()
    assert fault.msg == 'DIRECTLINKS["BATCH_SIZE"] must be a whole number of at least 0.'


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("BATCHSIZE", 'Did you mean "BATCH_SIZE"?'),
        ("always_200", 'Did you mean "ALWAYS_200"?'),
        ("CODES_LENGTH", 'Did you mean "CODE_LENGTH"?'),
        ("FLAVOUR", f"Known keys: {', '.join(SETTINGS)}."),
    ],
)
def test_an_unknown_key_gets_a_hint(settings: Settings, name: str, hint: str) -> None:
    settings.DIRECTLINKS = {name: 1}
    (fault,) = found()
    assert (fault.msg, fault.hint) == (f'DIRECTLINKS["{name}"] is unknown.', hint)


@pytest.mark.parametrize(
    ("policy", "lack"), [("OnlyAllows", "no filter"), ("Neither", "no allows and no filter")]
)
def test_a_policy_that_is_none_hears_what_it_lacks(
    settings: Settings, policy: str, lack: str
) -> None:
    settings.DIRECTLINKS = {"POLICY": f"{__name__}.{policy}"}
    (fault,) = found()
    assert fault.msg == f'DIRECTLINKS["POLICY"]: {__name__}.{policy} has {lack}.'


@pytest.mark.parametrize(
    "declared",
    [
        {"BASE_URL": "tests.test_addresses.by_user"},
        {"BASE_URL": ["https://example.org", "https://example.com"]},
        delivery(f"{HANDOVER}.AccelBackend", location="/private/"),
        delivery(f"{HANDOVER}.SendfileBackend", header="X-LIGHTTPD-send-file"),
        {
            "DELIVERY": {
                "default": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}
            }
        },
        {"CORS": ["https://app.example.org"], "REDIRECT_MAX_AGE": 60},
        {"COUNTER": counter("redis", url="redis://127.0.0.1:1/0")},
        {"COUNTER": counter("journal", directory="/tmp")},
    ],
)
def test_what_is_right_is_not_reported(settings: Settings, declared: dict[str, Any]) -> None:
    settings.DIRECTLINKS = declared
    assert found() == []


@pytest.mark.parametrize("backend", ["AccelBackend", "SendfileBackend"])
def test_a_handover_needs_files_of_this_machine(settings: Settings, backend: str) -> None:
    settings.STORAGES = {**settings.STORAGES, "directlinks": BUCKET}
    settings.DIRECTLINKS = delivery(f"{HANDOVER}.{backend}")
    assert ids() == ["directlinks.E022"]


@pytest.mark.parametrize("backend", ["signed_url.SignedURLBackend", "stream.StreamBackend"])
def test_any_other_delivery_is_right_for_any_storage(settings: Settings, backend: str) -> None:
    settings.DIRECTLINKS = delivery(f"directlinks.delivery.backends.{backend}")
    assert found() == []
    settings.STORAGES = {**settings.STORAGES, "directlinks": BUCKET}
    assert found() == []


class Routed:
    """A router that sends the models of ``apps`` to a second database."""

    def __init__(self, *apps: str) -> None:
        self.apps = apps

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "second" if model._meta.app_label in self.apps else "default"


class TestDatabases:
    @pytest.mark.parametrize("apart", [("directlinks",), ("auth",)])
    def test_links_and_users_apart_are_an_error(
        self, settings: Settings, apart: tuple[str, ...]
    ) -> None:
        settings.DATABASE_ROUTERS = [Routed(*apart)]
        (message,) = found()
        assert message.id == "directlinks.E036"
        assert "User in '" in message.msg
        assert "DirectLink" in message.msg

    def test_together_in_any_database_is_right(self, settings: Settings) -> None:
        settings.DATABASE_ROUTERS = [Routed("directlinks", "auth")]
        assert found() == []

    def test_two_names_of_one_database_are_right(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        same = connections.databases["default"]
        monkeypatch.setitem(connections.databases, "second", {**same, "CONN_MAX_AGE": 60})
        settings.DATABASE_ROUTERS = [Routed("directlinks")]
        assert found() == []


class TestSurroundings:
    def test_an_empty_media_root_is_a_warning(self, settings: Settings) -> None:
        settings.MEDIA_ROOT = ""
        assert ids() == ["directlinks.W002"]

    @pytest.mark.parametrize(
        "storage",
        [
            {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": "/somewhere"},
            },
        ],
    )
    def test_a_storage_elsewhere_needs_no_media_root(
        self, settings: Settings, storage: dict[str, Any]
    ) -> None:
        settings.MEDIA_ROOT = ""
        settings.STORAGES = {**settings.STORAGES, "directlinks": storage}
        assert ids() == []

    def test_an_address_without_a_scheme_is_told_what_it_lacks(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": "cdn.example.org"}
        hint = "If an address was meant, it begins with its scheme: 'https://cdn.example.org'."
        assert found()[0].hint == hint

    def test_missing_the_blacklist_is_a_warning(self, settings: Settings) -> None:
        blacklist = "rest_framework_simplejwt.token_blacklist"
        settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != blacklist]
        assert ids() == ["directlinks.W003"]

    def test_a_token_that_names_no_field_of_the_user_is_a_warning(self, settings: Settings) -> None:
        settings.SIMPLE_JWT = {"USER_ID_FIELD": "uid"}
        assert ids() == ["directlinks.W006"]
        assert found()[0].hint == "Set SIMPLE_JWT[\"USER_ID_FIELD\"] to 'id'."

    @pytest.mark.parametrize("name", ["is_active", "is_staff"])
    @pytest.mark.parametrize(
        ("flag", "hint"),
        [
            (lambda self: True, "Make it a property."),
            (models.IntegerField(), "Make it a BooleanField, or a property."),
            (models.BooleanField(null=True), None),
            (property(lambda self: True), None),
            (cached_property(lambda self: True), None),
            (True, None),
        ],
    )
    @isolate_apps("directlinks")
    def test_a_flag_of_users_that_is_never_true_is_an_error(
        self, flag: Any, hint: str | None, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        columns = {"id": models.AutoField(primary_key=True), name: deepcopy(flag)}
        person = type("Person", (models.Model,), {"__module__": "directlinks.models", **columns})
        monkeypatch.setattr(checks, "get_user_model", lambda: person)
        assert [(message.id, message.hint) for message in found()] == (
            [] if hint is None else [("directlinks.E033", hint)]
        )
        assert all(f"Person.{name} is " in message.msg for message in found())

    def test_a_model_of_files_that_django_cleanup_was_told_to_clean_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "FIELDS", {"auth.user": {"picture"}})
        assert ids() == []
        monkeypatch.setattr(cache, "FIELDS", {"directlinks.file": {"content"}})
        assert ids() == ["directlinks.E034"]

    @pytest.mark.parametrize("field", ["id", "pk", "username"])
    def test_a_token_may_name_any_field_of_the_user(self, settings: Settings, field: str) -> None:
        settings.SIMPLE_JWT = {"USER_ID_FIELD": field}
        assert ids() == []
