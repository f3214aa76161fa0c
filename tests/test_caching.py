"""The cache that may be down."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.cache.backends.base import InvalidCacheKey, memcache_key_warnings
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.throttling import AnonRateThrottle, BaseThrottle

import directlinks
from directlinks import caching, outages
from directlinks.api.base import EnvelopeView
from tests.factories import DirectLinkFactory

PACKAGE = Path(directlinks.__file__).parent


class BrokenCache(LocMemCache):
    """It raises what it is told to, after as many seconds."""

    error: Exception = ConnectionError("no route to the cache")
    seconds = 0.0
    asked = 0

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        cls = type(self)
        cls.asked += 1
        Clock.now += cls.seconds
        raise cls.error

    get = set = add = incr = touch = _refuse


class Clock:
    now = 1000.0


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[type[BrokenCache]]:
    """Break the default cache, with a clock that stands still otherwise."""
    for module in (caching, outages):
        monkeypatch.setattr(module, "monotonic", lambda: Clock.now)
    monkeypatch.setattr(BrokenCache, "asked", 0)
    monkeypatch.setattr(BrokenCache, "seconds", 0.0)
    Clock.now += 1000.0
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}
    yield BrokenCache
    caching._breaker.succeeded()


@pytest.fixture(autouse=True)
def _all_is_well_before() -> None:
    caching._breaker.succeeded()
    caching._log._next.clear()


@pytest.mark.parametrize(
    "error",
    [ConnectionError("gone"), TimeoutError("slow"), InvalidCacheKey("long"), RuntimeError("x")],
)
def test_any_error_of_it_is_logged_once_and_answered(
    broken: type[BrokenCache],
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(broken, "error", error)
    assert [caching.ask(lambda cache: cache.get("a"), otherwise="b") for _ in range(9)] == ["b"] * 9
    (record,) = caplog.records
    assert record.getMessage() == f"The cache does not work, so attempts are not limited: {error}"
    Clock.now += 60.0
    caching.ask(lambda cache: cache.get("a"), otherwise="b")
    assert len(caplog.records) == 2


def test_one_that_fails_at_once_is_asked_again_at_once(broken: type[BrokenCache]) -> None:
    for _ in range(5):
        caching.ask(lambda cache: cache.get("a"), otherwise=None)
    assert broken.asked == 5


def test_one_that_times_out_is_left_alone(broken: type[BrokenCache]) -> None:
    broken.seconds = 5.0
    for _ in range(5):
        caching.ask(lambda cache: cache.get("a"), otherwise=None)
    assert broken.asked == 1
    Clock.now += 10.0
    for _ in range(5):
        caching.ask(lambda cache: cache.get("a"), otherwise=None)
    assert broken.asked == 2


def test_one_that_is_back_is_used_again(broken: type[BrokenCache], settings: Settings) -> None:
    broken.seconds = 5.0
    caching.ask(lambda cache: cache.get("a"), otherwise=None)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.set("a", "back")
    Clock.now += 10.0
    assert [caching.ask(lambda cache: cache.get("a"), otherwise=None) for _ in range(2)] == [
        "back",
        "back",
    ]


@pytest.mark.django_db
def test_a_cache_in_the_database_that_fails_leaves_a_transaction_as_it_was(
    settings: Settings,
) -> None:
    """On PostgreSQL no statement works in a transaction after one that failed."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "no_such_table",
        }
    }
    with transaction.atomic():
        assert caching.ask(lambda cache: cache.get("a"), otherwise="b") == "b"
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_a_cache_in_the_database_costs_no_savepoint(
    settings: Settings,
    django_assert_num_queries: Any,
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "no_such_table",
        }
    }
    with django_assert_num_queries(1):
        caching.ask(lambda cache: cache.get("a"), otherwise=None)


@pytest.mark.django_db
class TestAnswers:
    def test_the_right_password_logs_in_and_the_wrong_one_does_not(
        self, broken: type[BrokenCache]
    ) -> None:
        User.objects.create_user("ada", password="correct horse")
        statuses = [
            Client()
            .post(
                "/api/v4/session/token",
                {"email": "ada", "password": password},
                content_type="application/json",
            )
            .status_code
            for password in ["correct horse", *["wrong"] * 12]
        ]
        assert statuses == [200] + [401] * 12
        assert broken.asked

    def test_unknown_codes_are_not_found(self, broken: type[BrokenCache]) -> None:
        assert {Client().get("/f/guess0000/a.txt").status_code for _ in range(40)} == {404}
        assert broken.asked

    def test_passwords_of_links_open_them(self, broken: type[BrokenCache]) -> None:
        link = DirectLinkFactory(password=make_password("right"))
        path = link.get_absolute_url()
        statuses = [
            Client().get(path, headers={"X-Link-Password": password}).status_code
            for password in ["right", *["wrong"] * 12]
        ]
        assert statuses == [302] + [401] * 12
        assert broken.asked

    def test_throttles_of_the_site_let_pass_in_our_api(
        self, broken: type[BrokenCache], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Rarely(AnonRateThrottle):
            rate = "1/day"

        monkeypatch.setattr(EnvelopeView, "throttle_classes", [Rarely])
        statuses = [Client().post("/api/v4/session/token/refresh").status_code for _ in range(3)]
        assert statuses == [400] * 3
        assert broken.asked


@pytest.mark.django_db
def test_throttles_of_the_site_count_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rarely(AnonRateThrottle):
        rate = "1/day"

        def allow_request(self, *args: Any) -> bool:
            self.cache.incr_version  # noqa: B018  # what ours does not define is that of the cache
            return super().allow_request(*args)

    class Without(BaseThrottle):
        def allow_request(self, *args: Any) -> bool:
            return True

    monkeypatch.setattr(EnvelopeView, "throttle_classes", [Rarely, Without])
    body = {"email": "ada", "password": "wrong"}
    statuses = [
        Client().post("/api/v4/session/token", body, content_type="application/json").status_code
        for _ in range(2)
    ]
    assert statuses == [401, 429]


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["192.0.2.1", "x" * 300, "\xe4\xf6"])
def test_an_address_that_no_key_can_hold_is_limited_and_is_no_outage(
    sent: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Rarely(AnonRateThrottle):
        rate = "1/day"

    def validate_key(self: Any, key: str) -> None:
        """Refuse what Memcached refuses."""
        for fault in memcache_key_warnings(key):
            raise InvalidCacheKey(fault)  # pragma: no cover  # no key of ours
        key.encode("ascii")

    monkeypatch.setattr(LocMemCache, "validate_key", validate_key)
    monkeypatch.setattr(EnvelopeView, "throttle_classes", [Rarely])
    body = {"email": "ada", "password": "wrong"}
    statuses = [
        Client(headers={"X-Forwarded-For": sent})
        .post("/api/v4/session/token", body, content_type="application/json")
        .status_code
        for _ in range(2)
    ]
    assert statuses == [401, 429]
    assert "The cache does not work" not in caplog.text


def test_no_other_module_uses_a_cache_of_django() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "django.core.cache" in _imported_by(path)
    }
    assert users == {"caching.py"}


def _imported_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {
        f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    } | {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    return {".".join(name.split(".")[:3]) for name in names}
