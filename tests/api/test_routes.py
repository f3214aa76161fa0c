"""Which paths below the API's prefix are routes, and what every other one answers."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse
from pytest_django.fixtures import Settings

from directlinks.api.urls import urlpatterns as ours
from directlinks.models import DirectLink
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]


def own_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"the site's own {request.method}")


urlpatterns = [
    path("api/v4/own/", own_view),
    path("api/v4/", include("directlinks.api.urls")),
    path("", include("directlinks.urls")),
]


@pytest.mark.parametrize("append_slash", [True, False])
class TestSlashes:
    def test_each_route_answers_with_and_without_a_final_one(
        self, append_slash: bool, settings: Settings
    ) -> None:
        settings.APPEND_SLASH = append_slash
        user = FileFactory(path="a.txt").owner
        api = APIClient(user)

        def code() -> str:
            return str(DirectLinkFactory(file__owner=user).code)

        uris = {"uris": ["cloudreve://my/a.txt"]}
        calls: list[Any] = [
            ("POST", lambda: "session/token", {}, 40001),
            ("DELETE", lambda: "session/token", {}, 40001),
            ("POST", lambda: "session/token/refresh", {}, 40001),
            ("PUT", lambda: "file/source", uris, 0),
            ("GET", lambda: "file/source", None, 0),
            ("POST", lambda: "file/source/revoke", {"ids": ["none"]}, 40081),
            ("GET", lambda: f"file/source/{code()}", None, 0),
            ("PATCH", lambda: f"file/source/{code()}", {"paused": True}, 0),
            ("DELETE", lambda: f"file/source/{code()}", None, 0),
            ("POST", lambda: f"file/source/{code()}/rotate", None, 0),
            ("GET", lambda: f"file/source/{code()}/statistics", None, 0),
            ("GET", lambda: "file/info", None, 40001),
        ]
        for method, route, body, expected in calls:
            for slash in ("", "/"):
                answer = api.call(method, route() + slash, body)
                assert answer.json()["code"] == expected, (method, slash)

    @pytest.mark.parametrize(
        "route",
        [
            *(
                "",
                "/",
                "nope",
                "nope/",
                "file",
                "file/sources",
            ),
            *("file/info/x", "session", "session/token//", "session/token/refresh/x", "a%0Ab"),
            *("%FF", "../v4/nope", "FILE/SOURCE", "file/source%0A"),
        ],
    )
    def test_every_other_path_is_a_404_by_any_method(
        self, append_slash: bool, route: str, settings: Settings
    ) -> None:
        settings.APPEND_SLASH = append_slash
        for method in METHODS:
            answer = APIClient().call(method, route)
            assert answer.status_code == 404, method
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
            if method != "HEAD":
                assert answer.json()["code"] == 404
                assert answer.json()["correlation_id"]

    def test_a_route_of_the_sites_own_stands_before_ours(
        self, append_slash: bool, settings: Settings
    ) -> None:
        settings.APPEND_SLASH = append_slash
        settings.ROOT_URLCONF = __name__
        client = Client()
        assert client.get("/api/v4/own/").content == b"the site's own GET"
        # Django's own rule for a missing slash holds for it, and for it alone.
        missing = client.get("/api/v4/own?x=1")
        assert missing.status_code == (301 if append_slash else 404)
        assert missing.headers.get("Location") == ("/api/v4/own/?x=1" if append_slash else None)
        assert client.get("/api/v4/nope").json()["code"] == 404
        assert client.get("/api/v4").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("with_token", [True, False])
def test_always_200_holds_for_every_path_and_method(with_token: bool, settings: Settings) -> None:
    settings.DIRECTLINKS = {"ALWAYS_200": True}
    api = APIClient(FileFactory(path="a.txt").owner if with_token else None)
    routes = {str(route.pattern).replace("<directlinks-anything:code>", "abcd") for route in ours}
    assert len(routes) == 18
    for route in sorted(routes):
        for method in METHODS:
            answer = api.call(method, route)
            assert answer.status_code == 200, (method, route)
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_names_lead_to_the_routes_without_a_slash() -> None:
    names = ("source", "source-revoke", "info", "token", "token-refresh")
    assert [reverse(f"directlinks-api:{name}") for name in names] == [
        "/api/v4/file/source",
        "/api/v4/file/source/revoke",
        "/api/v4/file/info",
        "/api/v4/session/token",
        "/api/v4/session/token/refresh",
    ]
    detail = reverse("directlinks-api:source-detail", kwargs={"code": "abcd"})
    assert detail == "/api/v4/file/source/abcd"


def test_a_slash_behind_a_code_revokes_that_link() -> None:
    link = DirectLinkFactory()
    answer = APIClient(link.file.owner).delete(f"{link.code}/")
    assert answer.json()["code"] == 0
    assert DirectLink.objects.get().revoked_at is not None
