"""Settings: what each may hold, its default, and that it is read late."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from pytest_django.fixtures import Settings

from directlinks.conf import SETTINGS, conf, declared_settings, site_settings

ACCEPTED: list[tuple[str, Any]] = [
    ("BATCH_SIZE", 0),
    ("MAX_BATCH_SIZE", 1),
    ("MAX_BATCH_SIZE", 5000),
    ("ALWAYS_200", True),
    ("POLICY", "my_site.policies.Mine"),
    ("CODE_LENGTH", 4),
    ("CODE_LENGTH", 64),
    ("CODE_ALPHABET", "_-"),
    ("BASE_URL", "http://localhost:8000"),
    ("BASE_URL", "https://example.org/below/"),
    ("BASE_URL", ["https://example.org", "http://localhost:8000/below"]),
    ("BASE_URL", ("https://example.org",)),
    ("BASE_URL", "my_site.links.base_url"),
    ("TARGET_SECONDS", 1),
    ("REDIRECT_HOSTS", []),
    ("REDIRECT_HOSTS", ("cdn.example.org",)),
    ("REDIRECT_MAX_AGE", 60),
    ("DELIVERY", {}),
    ("DELIVERY", {"BACKEND": "my_site.delivery.Mine"}),
    ("DELIVERY", {"BACKEND": "my_site.delivery.Mine", "OPTIONS": {"a": 1}}),
    ("DELIVERY", {"default": {"BACKEND": "my_site.Mine"}, "other": {"BACKEND": "my_site.Mine"}}),
    ("CORS", "*"),
    ("CORS", []),
    ("CORS", ["https://app.example.org", "http://localhost:3000"]),
    ("CORS", ("https://app.example.org",)),
    ("INLINE_TYPES", {"image/png"}),
    ("CONTENT_TYPES", {".step": "model/step", ".log": "text/plain; charset=utf-8"}),
    ("PREVIEW_AGENTS", frozenset({"bot"})),
    ("LOGIN_RATE", None),
    ("LOGIN_RATE", "100/hour"),
]

REFUSED: list[tuple[str, Any]] = [
    ("BATCH_SIZE", -1),
    ("BATCH_SIZE", "1000"),
    ("BATCH_SIZE", True),
    ("BATCH_SIZE", None),
    ("MAX_BATCH_SIZE", 0),
    ("MAX_BATCH_SIZE", 5001),
    ("MAX_BATCH_SIZE", 1.5),
    ("ALWAYS_200", 1),
    ("ALWAYS_200", None),
    ("POLICY", None),
    ("POLICY", "Mine"),
    ("POLICY", "my site.Mine"),
    ("POLICY", "my_site."),
    ("POLICY", "my_site.2.Mine"),
    ("CODE_LENGTH", 3),
    ("CODE_LENGTH", 65),
    ("CODE_LENGTH", "22"),
    ("CODE_LENGTH", True),
    ("CODE_ALPHABET", ""),
    ("CODE_ALPHABET", "a"),
    ("CODE_ALPHABET", "aba"),
    ("CODE_ALPHABET", "ab/"),
    ("CODE_ALPHABET", "äb"),
    ("CODE_ALPHABET", ["a", "b"]),
    ("BASE_URL", "localhost"),
    ("BASE_URL", "example.org/below"),
    ("BASE_URL", "//example.org"),
    ("BASE_URL", "ftp://example.org"),
    ("BASE_URL", "https://"),
    ("BASE_URL", "https://user@example.org"),
    ("BASE_URL", "https://example.org/?a=b"),
    ("BASE_URL", "https://example.org/#a"),
    ("BASE_URL", "https://[::1"),
    ("BASE_URL", 7),
    ("BASE_URL", []),
    ("BASE_URL", ["https://example.org", "example.org"]),
    ("BASE_URL", ["my_site.links.base_url"]),
    ("BASE_URL", [None]),
    ("BASE_URL", {"https://example.org": 1}),
    ("TARGET_SECONDS", 0),
    ("REDIRECT_HOSTS", "cdn.example.org"),
    ("REDIRECT_HOSTS", [7]),
    ("REDIRECT_MAX_AGE", -1),
    ("REDIRECT_MAX_AGE", None),
    ("DELIVERY", "directlinks.delivery.backends.stream.StreamBackend"),
    ("DELIVERY", {"BACKEND": "StreamBackend"}),
    ("DELIVERY", {"BACKEND": None}),
    ("DELIVERY", {"BACKEND": "my_site.Mine", "OPTIONS": None}),
    ("DELIVERY", {"BACKEND": "my_site.Mine", "OPTION": {}}),
    ("DELIVERY", {"default": "my_site.Mine"}),
    ("DELIVERY", {"default": None}),
    ("DELIVERY", {"OPTIONS": {}}),
    ("CORS", None),
    ("CORS", "on"),
    ("CORS", "https://app.example.org"),
    ("CORS", ["*"]),
    ("CORS", ["null"]),
    ("CORS", ["app.example.org"]),
    ("CORS", ["https://app.example.org/"]),
    ("CORS", ["https://user@app.example.org"]),
    ("CORS", [7]),
    ("CONTENT_TYPES", None),
    ("CONTENT_TYPES", {"step": "model/step"}),
    ("CONTENT_TYPES", {".STEP": "model/step"}),
    ("CONTENT_TYPES", {".tar.gz": "application/gzip"}),
    ("CONTENT_TYPES", {".step": "step"}),
    ("CONTENT_TYPES", {".step": None}),
    ("CONTENT_TYPES", {7: "model/step"}),
    ("INLINE_TYPES", None),
    ("INLINE_TYPES", "image/png"),
    ("INLINE_TYPES", [None]),
    ("INLINE_TYPES", [""]),
    ("INLINE_TYPES", ["png"]),
    ("PREVIEW_AGENTS", ["bot", ""]),
    ("PREVIEW_AGENTS", {"bot": 1}),
    ("PREVIEW_AGENTS", b"bot"),
    ("LOGIN_RATE", 10),
    ("LOGIN_RATE", "10"),
    ("LOGIN_RATE", "0/min"),
    ("LOGIN_RATE", "10/week"),
    ("LOGIN_RATE", "10/mins"),
    ("LOGIN_RATE", "-1/min"),
]


@pytest.mark.parametrize("name", SETTINGS)
def test_each_default_is_what_the_setting_may_hold(name: str) -> None:
    setting = SETTINGS[name]
    assert setting.validator(setting.default) is None
    assert getattr(conf, name) == setting.default


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_what_a_setting_may_hold(name: str, value: Any) -> None:
    assert SETTINGS[name].validator(value) is None


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_a_setting_may_not_hold(name: str, value: Any) -> None:
    fault = SETTINGS[name].validator(value)
    assert fault is not None
    assert fault.startswith("must be ")


def test_each_setting_has_a_check_of_its_own() -> None:
    checks = [setting.check for setting in SETTINGS.values()]
    assert len(set(checks)) == len(checks)


def test_a_value_is_read_when_it_is_asked_for() -> None:
    with override_settings(DIRECTLINKS={"BATCH_SIZE": 7}):
        assert (conf.BATCH_SIZE, conf.MAX_BATCH_SIZE) == (7, 3000)
        with override_settings(DIRECTLINKS={"MAX_BATCH_SIZE": 9}):
            assert (conf.BATCH_SIZE, conf.MAX_BATCH_SIZE) == (1000, 9)
    assert conf.BATCH_SIZE == 1000


def test_a_declaration_that_is_no_dict_counts_as_none(settings: Settings) -> None:
    settings.DIRECTLINKS = ["BATCH_SIZE"]
    assert (declared_settings(), site_settings()) == (["BATCH_SIZE"], {})
    assert conf.BATCH_SIZE == 1000


def test_debug_is_the_sites(settings: Settings) -> None:
    settings.DEBUG = True
    assert conf.debug is True
    settings.DEBUG = False
    assert conf.debug is False


def test_the_keys_that_sign_are_the_sites_and_those_before_them(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [b"old", "oldest"]
    assert conf.signing_keys == [b"new", b"old", b"oldest"]


@pytest.mark.parametrize(
    ("ceiling", "expected"),
    [(None, 2 * 16 * 1024), (1000, 1000), (10**9, 2 * 16 * 1024)],
)
def test_a_body_is_as_long_as_a_batch_and_the_site_allow(
    settings: Settings, ceiling: int | None, expected: int
) -> None:
    settings.DIRECTLINKS = {"MAX_BATCH_SIZE": 2}
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = ceiling
    assert conf.max_body_bytes == expected


def test_the_storage_is_the_one_named_after_the_app_if_there_is_one(settings: Settings) -> None:
    assert conf.storage_alias == "default"
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "directlinks": memory}
    assert conf.storage_alias == "directlinks"


MINE, OTHER = {"BACKEND": "my_site.Mine"}, {"BACKEND": "my_site.Other"}


@pytest.mark.parametrize(
    ("declared", "by_default", "by_its_own"),
    [
        ({}, None, None),
        ({"DELIVERY": MINE}, MINE, MINE),
        ({"DELIVERY": {"directlinks": OTHER}}, None, OTHER),
        ({"DELIVERY": {"directlinks": OTHER, "default": MINE}}, MINE, OTHER),
    ],
)
def test_the_delivery_is_the_one_for_the_storage_or_for_all(
    declared: dict[str, Any], by_default: object, by_its_own: object, settings: Settings
) -> None:
    settings.DIRECTLINKS = declared
    assert conf.delivery_of(conf.storage_alias) == by_default
    settings.STORAGES = {**settings.STORAGES, "directlinks": settings.STORAGES["default"]}
    assert conf.delivery_of(conf.storage_alias) == by_its_own


def test_tokens_live_as_long_as_the_site_says(settings: Settings) -> None:
    assert conf.access_lifetime == timedelta(hours=1)
    assert conf.refresh_lifetime == timedelta(days=14)
    settings.SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(minutes=5)}
    assert conf.access_lifetime == timedelta(minutes=5)
    assert conf.refresh_lifetime == timedelta(days=14)


def test_tokens_name_a_user_by_the_field_that_the_site_says(settings: Settings) -> None:
    assert conf.token_user_field == "id"
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    assert conf.token_user_field == "username"
