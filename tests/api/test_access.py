"""Who is asking, and how every failure leaves: as an envelope from our views, from no others."""

import logging
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, SlidingToken

from directlinks import reporting
from directlinks.api import views
from directlinks.datetimes import seconds_of
from directlinks.models import DirectLink
from directlinks.outages import RateLimitedLog
from tests.api.clients import APIClient
from tests.factories import PASSWORD, DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

URI = "cloudreve://my/a.txt"
BASIC = "rest_framework.authentication.BasicAuthentication"
SESSION = "rest_framework.authentication.SessionAuthentication"


@pytest.fixture
def user() -> Any:
    return FileFactory(path="a.txt").owner


def put_with(authorization: str) -> Any:
    client = APIClient()
    client.headers["Authorization"] = authorization
    return client.put(URI)


class TestTokens:
    @pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "{}"])
    def test_an_access_token_is_taken_with_and_without_the_word(self, form: str, user: Any) -> None:
        assert put_with(form.format(AccessToken.for_user(user))).json()["code"] == 0

    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer", "Bearer x.y.z", "Bearer a b", "x.y.z", "Basic eDp5", "Digest x", "\xff"],
    )
    def test_anything_else_is_not_logged_in(self, authorization: str) -> None:
        response = put_with(authorization)
        assert (response.status_code, response.json()["code"]) == (401, 401)
        assert response.json()["msg"] == "Login required"
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_a_refresh_token_is_the_wrong_type(self, user: Any) -> None:
        response = put_with(f"Bearer {RefreshToken.for_user(user)}")
        assert (response.status_code, response.json()["code"]) == (401, 40020)
        assert response.json()["msg"] == "Invalid token type"
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_an_expired_token_is_not_logged_in(self, user: Any) -> None:
        token = AccessToken.for_user(user)
        with time_machine.travel(seconds_of(timezone.now() + timedelta(hours=2))):
            assert put_with(f"Bearer {token}").json()["msg"] == "Login required"

    def test_a_token_of_a_kind_that_the_site_does_not_accept_is_not_logged_in(
        self, user: Any
    ) -> None:
        response = put_with(f"Bearer {SlidingToken.for_user(user)}")
        assert response.json()["msg"] == "Login required"

    def test_a_token_with_a_key_of_another_kind_is_not_logged_in(self, user: Any) -> None:
        token = AccessToken.for_user(user)
        token["user_id"] = "6a3ab5f0-9c1f-4d55-a2f5-6d4c1c0e8a55"
        assert put_with(f"Bearer {token}").json()["msg"] == "Login required"

    @pytest.mark.parametrize("fate", ["inactive", "gone"])
    def test_a_valid_token_of_a_user_who_is_no_more_is_not_logged_in(
        self, fate: str, user: Any
    ) -> None:
        token = AccessToken.for_user(user)
        if fate == "inactive":
            user.is_active = False
            user.save()
        else:
            user.delete()
        response = put_with(f"Bearer {token}")
        assert (response.status_code, response.json()["msg"]) == (401, "Login required")


class TestTheSitesOwnAuthentication:
    def test_basic_authentication_works(self, user: Any, settings: Settings) -> None:
        settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [BASIC]}
        client = Client()
        response = client.put(
            "/api/v4/file/source",
            {"uris": [URI]},
            content_type="application/json",
            headers={"Authorization": basic(user.username, PASSWORD)},
        )
        assert response.json()["code"] == 0

    def test_its_refusal_is_a_401_too(self, user: Any, settings: Settings) -> None:
        settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [BASIC]}
        assert put_with(basic(user.username, "wrong")).json()["msg"] == "Login required"

    def test_another_scheme_of_the_word_bearer_is_reached(self, settings: Settings) -> None:
        settings.REST_FRAMEWORK = {
            "DEFAULT_AUTHENTICATION_CLASSES": ["tests.api.backends.OtherBearer"]
        }
        assert put_with("Bearer opaque").json()["code"] == 40081
        assert put_with("Bearer other").json()["code"] == 401

    def test_a_session_without_a_csrf_token_is_a_403_envelope(
        self, user: Any, settings: Settings
    ) -> None:
        settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [SESSION]}
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        response = client.put(
            "/api/v4/file/source", {"uris": [URI]}, content_type="application/json"
        )
        assert (response.status_code, response.json()["code"]) == (403, 403)

    def test_no_authentication_at_all_is_no_hindrance_to_ours(
        self, user: Any, settings: Settings
    ) -> None:
        settings.REST_FRAMEWORK = {
            "DEFAULT_AUTHENTICATION_CLASSES": None,
            "UNAUTHENTICATED_USER": None,
        }
        assert put_with(f"Bearer {AccessToken.for_user(user)}").json()["code"] == 0
        assert put_with("").json()["code"] == 401


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


class TestFormats:
    @pytest.mark.parametrize(
        "accept", ["text/html", "image/*", "application/xml;q=1", "application/json;v=9", "%%", ""]
    )
    @pytest.mark.parametrize("query", ["", "?format=xml", "?format=", "?format=json"])
    def test_every_answer_is_json_whatever_is_asked_for(
        self, accept: str, query: str, user: Any
    ) -> None:
        login = {"email": user.username, "password": PASSWORD}
        calls = [
            ("POST", "session/token", login, 200),
            ("POST", "session/token", {**login, "password": "wrong"}, 401),
            ("PUT", "file/source", {"uris": [URI]}, 200),
            ("GET", "file/source", None, 200),
            ("GET", "file/info", None, 400),
            ("POST", "file/source", None, 405),
            ("GET", "elsewhere", None, 404),
        ]
        for method, path, body, status in calls:
            answer = APIClient(user).call(method, path + query, body, Accept=accept)
            assert (answer.status_code, answer.headers["Content-Type"]) == (
                status,
                "application/json; charset=utf-8",
            )
            assert "code" in answer.json()


class TestFailures:
    @pytest.mark.parametrize(
        ("method", "status", "msg"),
        [
            ("POST", 405, 'Method "POST" not allowed.'),
            ("OPTIONS", 405, 'Method "OPTIONS" not allowed.'),
        ],
    )
    def test_drfs_own_carry_their_status_as_code(
        self, method: str, status: int, msg: str, user: Any
    ) -> None:
        response = APIClient(user).call(method, "file/source", {"uris": [URI]})
        assert (response.status_code, response.json()["code"]) == (status, status)
        assert msg == response.json()["msg"]
        assert response.headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize(
        ("error", "status"), [(Http404("secret"), 404), (PermissionDenied("secret"), 403)]
    )
    def test_djangos_own_are_translated(
        self, error: Exception, status: int, user: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(views, "create_direct_links", raising(error))
        response = APIClient(user).put(URI)
        assert (response.status_code, response.json()["code"]) == (status, status)
        assert b"secret" not in response.content

    @pytest.mark.parametrize("debug", [True, False])
    def test_what_nobody_expected_is_an_envelope_and_reaches_the_log_and_the_signal(
        self,
        debug: bool,
        user: Any,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        settings.DEBUG = debug
        monkeypatch.setattr(views, "create_direct_links", raising(RuntimeError("secret")))
        heard = []

        def listener(**kwargs: Any) -> None:
            heard.append(kwargs["request"].path)

        got_request_exception.connect(listener)
        try:
            response = APIClient(user).put(URI)
        finally:
            got_request_exception.disconnect(listener)
        answer = response.json()
        assert response.status_code == 500
        assert (answer["code"], answer["msg"]) == (-1, "")
        assert answer.get("error") == ("RuntimeError: secret" if debug else None)
        assert heard == ["/api/v4/file/source"]
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert record.exc_info is not None
        assert answer["correlation_id"] in record.getMessage()

    @pytest.mark.parametrize("debug", [True, False])
    def test_a_database_that_is_away_is_503_and_the_log_says_it_once(
        self,
        debug: bool,
        user: Any,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        settings.DEBUG = debug
        monkeypatch.setattr(reporting, "_outages", RateLimitedLog(3600.0))
        away = OperationalError("connection refused")
        monkeypatch.setattr(views, "create_direct_links", raising(away))
        for _ in range(3):
            response = APIClient(user).put(URI)
            answer = response.json()
            assert (response.status_code, answer["code"]) == (503, 503)
            assert response.headers["Retry-After"] == "5"
            assert answer["msg"] == "Service unavailable"
            assert answer.get("error") == ("connection refused" if debug else None)
        (record,) = caplog.records
        assert record.getMessage() == "The database is away: connection refused"

    def test_debug_tells_what_lies_beneath(self, user: Any, settings: Settings) -> None:
        settings.DEBUG = True
        answer = APIClient(user).put("cloudreve://my/none", "cloudreve://x/y").json()
        assert answer["error"] == "aggregate error: one or more operation failed"
        assert answer["aggregated_error"]["cloudreve://my/none"]["error"] == "ent: file not found"
        assert answer["aggregated_error"]["cloudreve://x/y"]["error"] == 'unknown file system "x"'

    def test_always_200_is_for_clients_that_look_at_the_code_alone(
        self, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"ALWAYS_200": True}
        response = APIClient().put(URI)
        assert (response.status_code, response.json()["code"]) == (200, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_other_views_of_the_site_keep_their_own_answers(self) -> None:
        response = Client().get("/api/elsewhere")
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")

    def test_the_log_shows_the_beginning_of_a_code_alone(
        self, user: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        code = DirectLinkFactory().code
        response = APIClient(user).delete(code)
        assert code not in caplog.text
        assert f"{code[:4]}…" in caplog.text
        (record,) = caplog.records
        assert vars(record)["correlation_id"] == response.json()["correlation_id"]
        assert vars(record)["status_code"] == 404

    @pytest.mark.parametrize("path", ["/api/v4/file/source", "/f/abcdefgh/a.txt", "/f/t/x/y"])
    def test_a_site_with_atomic_requests_has_no_transaction_around_ours(self, path: str) -> None:
        assert resolve(path).func._non_atomic_requests == {"default"}  # type: ignore[attr-defined]

    def test_a_host_that_is_not_the_sites_is_refused_before_a_link_is_made(
        self, user: Any, settings: Settings
    ) -> None:
        settings.MIDDLEWARE = []
        response = APIClient(user).call("PUT", "file/source", {"uris": [URI]}, Host="evil.example")
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert not DirectLink.objects.exists()


def raising(error: Exception) -> Any:
    def raise_it(**kwargs: Any) -> None:
        raise error

    return raise_it
