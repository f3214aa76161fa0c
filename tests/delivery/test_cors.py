"""Who may read a link from another origin."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks.delivery.headers import EXPOSED
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

APP = "https://app.example.org"
OTHER = "https://other.example.org"
LIST = [APP, "http://localhost:3000"]


def ask(path: str, method: str = "GET", origin: str | None = APP, **more: str) -> Any:
    headers = more if origin is None else {"Origin": origin, **more}
    response: Any = Client().generic(method, path, headers=headers)
    response.getvalue()
    return response


def shown(response: Any) -> dict[str, str]:
    """The headers of the CORS protocol that ``response`` has."""
    prefix = "Access-Control-"
    return {
        name.removeprefix(prefix): value
        for name, value in response.headers.items()
        if name.startswith(prefix)
    }


@pytest.fixture(params=["redirect", "content", "stream", "not found", "refused method"])
def answer(request: pytest.FixtureRequest, settings: Settings) -> Any:
    """A function that asks for one kind of answer under a value of CORS."""

    def asked(allowed: str | list[str], origin: str | None) -> Any:
        settings.DIRECTLINKS = {"CORS": allowed}
        link = DirectLinkFactory().get_absolute_url()
        match request.param:
            case "redirect":
                response = ask(link, origin=origin)
                assert response.status_code == 302
            case "content":
                target = ask(link).headers["Location"]
                response = ask(target, origin=origin, Range="bytes=0-1")
                assert response.status_code == 206
            case "stream":
                settings.DIRECTLINKS = {"CORS": allowed, **delivery("stream.StreamBackend")}
                response = ask(link, origin=origin)
                assert response.status_code == 200
            case "not found":
                response = ask("/f/no", origin=origin)
                assert response.status_code == 404
            case _:
                response = ask(link, "POST", origin=origin)
                assert response.status_code == 405
        return response

    return asked


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ("off", APP, None),
        ("off", None, None),
        ("*", APP, "*"),
        ("*", "null", "*"),
        ("*", None, None),
        (LIST, APP, APP),
        (LIST, "http://localhost:3000", "http://localhost:3000"),
        (LIST, OTHER, None),
        (LIST, "http://app.example.org", None),
        (LIST, "https://app.example.org:8443", None),
        (LIST, "https://app.example.org.evil.example", None),
        (LIST, "null", None),
        (LIST, None, None),
        ([], APP, None),
    ],
)
def test_every_answer_says_the_same(
    allowed: str | list[str], origin: str | None, expected: str | None, answer: Any
) -> None:
    response = answer(allowed, origin)
    named = {"Allow-Origin": expected, "Expose-Headers": EXPOSED} if expected else {}
    assert shown(response) == named
    # A cache must not give the answer for one origin to another.
    assert ("Origin" in response.headers.get("Vary", "")) == (allowed not in ("off", "*"))


@pytest.mark.parametrize("path", ["/f/abcdefgh/x", "/f/d/abcdefgh/x", "/f/t/ticket/x"])
@pytest.mark.parametrize(("allowed", "expected"), [("*", "*"), (LIST, APP)])
def test_a_preflight_allows_reading_with_ranges(
    path: str, allowed: str | list[str], expected: str, settings: Settings
) -> None:
    settings.DIRECTLINKS = {"CORS": allowed}
    preflight = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "range",
    }
    response = ask(path, "OPTIONS", **preflight)
    assert response.status_code == 200
    assert shown(response) == {
        "Allow-Origin": expected,
        "Allow-Methods": "GET, HEAD, OPTIONS",
        "Allow-Headers": (
            "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, "
            "X-Link-Password"
        ),
        "Max-Age": "86400",
        "Expose-Headers": EXPOSED,
    }


@pytest.mark.parametrize("allowed", ["off", LIST])
def test_a_preflight_from_elsewhere_allows_nothing(
    allowed: str | list[str], settings: Settings
) -> None:
    settings.DIRECTLINKS = {"CORS": allowed}
    response = ask("/f/abcdefgh/x", "OPTIONS", origin=OTHER)
    assert shown(response) == {}


@pytest.mark.parametrize("name", ["Accept-Ranges", "Content-Range", "Content-Length", "ETag"])
def test_a_page_sees_the_headers_of_ranges(name: str) -> None:
    assert name in EXPOSED.split(", ")


def test_a_cookie_changes_nothing(settings: Settings) -> None:
    settings.DIRECTLINKS = {"CORS": "*"}
    assert "Allow-Credentials" not in shown(ask("/f/no", Cookie="sessionid=abc"))


def test_what_varies_already_varies_by_origin_too(settings: Settings) -> None:
    settings.DIRECTLINKS = {"CORS": LIST}
    assert ask("/f/no").headers["Vary"] == "Accept, Accept-Language, Origin"
