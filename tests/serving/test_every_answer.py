"""Headers that every answer below ``/f/`` has, with any status and by any door."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django.fixtures import Settings

from directlinks.models import File
from directlinks.services import opening
from directlinks.serving.passwords import COOKIES
from tests.factories import DirectLinkFactory
from tests.serving import doors
from tests.serving.doors import Seen

pytestmark = pytest.mark.django_db

BROWSER = {"Accept": "text/html"}
STREAM = {"DELIVERY": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}}
ACCEL = {"DELIVERY": {"BACKEND": "directlinks.delivery.backends.web_server.AccelBackend"}}
EVERYWHERE = {
    "referrer-policy": "no-referrer",
    "vary": "Accept, Accept-Language, Origin",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LOCKED = {"password": make_password("secret")}

# Status, method, headers, settings, limits of the link.
ANSWERS: list[tuple[int, str, dict[str, str], dict[str, Any], dict[str, Any]]] = [
    (200, "GET", {}, STREAM, {}),
    (200, "GET", {}, ACCEL, {}),
    (200, "HEAD", {}, STREAM, {}),
    (200, "OPTIONS", {}, {}, {}),
    (206, "GET", {"Range": "bytes=2-4"}, STREAM, {}),
    (302, "GET", {}, {}, {}),
    (302, "GET", {}, {"REDIRECT_MAX_AGE": 60}, {}),
    (302, "GET", {}, {"CACHE_SECONDS": 60}, {}),
    (303, "POST", FORM, {}, LOCKED),
    (304, "GET", {"If-None-Match": "*"}, STREAM, {}),
    (400, "GET", {"Host": "evil.example"}, {}, {}),
    (401, "GET", {}, {}, LOCKED),
    (403, "GET", {"Referer": "https://evil.example/"}, {}, {"referers": "example.org"}),
    (404, "GET", {}, {}, {"paused": True}),
    (405, "PUT", {}, {}, {}),
    (410, "GET", {}, {}, {"max_downloads": 0}),
    (412, "GET", {"If-Match": '"other"'}, STREAM, {}),
    (416, "GET", {"Range": "bytes=99-"}, STREAM, {}),
    (428, "GET", {}, {}, {"ask_first": True}),
    (429, "GET", {"X-Link-Password": "wrong"}, {"LOGIN_RATE": "0/min"}, LOCKED),
    (500, "GET", {}, {}, {"password": "!"}),
    (503, "GET", {"Sec-Purpose": "prefetch"}, {}, {"max_downloads": 9}),
]


@pytest.mark.parametrize("accept", [{}, BROWSER])
@pytest.mark.parametrize(("status", "method", "headers", "settled", "limits"), ANSWERS)
def test_every_answer_has_them(
    status: int,
    method: str,
    headers: dict[str, str],
    settled: dict[str, Any],
    limits: dict[str, Any],
    accept: dict[str, str],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.DIRECTLINKS = {"CORS": ["https://app.example"], **settled}
    # Of the site's own middleware, none must be needed for them, nor stand in their way.
    settings.MIDDLEWARE = []
    if status == 500:
        monkeypatch.setattr(opening, "fetch_open_link", lambda **facts: 1 / 0)
    link = DirectLinkFactory(**limits)
    for _ in range(2):  # the second time by the fast lane, or from memory
        for door, seen in answers(link, method, headers | accept).items():
            assert (door, seen.status) == (door, status)
            assert {name: seen.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
            if seen.headers.get("content-type", "").startswith("text/html"):
                assert_kept_out_of_frames(seen)


def answers(link: Any, method: str, headers: dict[str, str]) -> dict[str, Seen]:
    body = b"password=secret" if method == "POST" else b""
    return doors.same_for_all(link.get_absolute_url(), method, headers, body)


def assert_kept_out_of_frames(seen: Seen) -> None:
    assert seen.headers["x-frame-options"] == "DENY"
    policy = seen.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    # A link that was unlocked may lead to a bucket, which Chromium would then refuse to follow.
    assert "form-action" not in policy


@pytest.mark.parametrize("folder", ["/f/", "/f/d/"])
def test_one_password_opens_both_addresses_of_its_link(folder: str) -> None:
    link = DirectLinkFactory(**LOCKED)
    form = f"{folder}{link.code}/{link.name}"
    for seen in doors.same_for_all(form, "POST", FORM, b"password=secret").values():
        assert seen.headers["location"] == form
        assert seen.headers["cache-control"] == "private, no-store"
        assert "content-type" not in seen.headers
        paths = [cookie["path"] for cookie in map(seen.cookies.__getitem__, COOKIES)]
        assert paths == [f"/f/{link.code}/", f"/f/d/{link.code}/"]
        for name, path in zip(COOKIES, paths, strict=True):
            headers = {"Cookie": f"{name}={seen.cookies[name].value}"}
            for answer in doors.same_for_all(path + link.name, "GET", headers).values():
                assert answer.status == 302


def test_nothing_is_told_of_bytes_that_are_gone_but_that() -> None:
    link = DirectLinkFactory()
    File.objects.update(content="gone.txt")
    for seen in answers(link, "GET", {}).values():
        target = doors.view(seen.headers["location"])
        assert target.status == 404
        assert {name: target.headers[name] for name in EVERYWHERE if name != "vary"} == {
            name: value for name, value in EVERYWHERE.items() if name != "vary"
        }
