"""Status, body and the headers of ours are the same through every door."""

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path, resolve
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from directlinks.models import DirectLink
from directlinks.services import opening
from directlinks.serving.routes import Kind, route_of
from tests.factories import DirectLinkFactory
from tests.pairs import pairwise
from tests.serving import doors
from tests.serving.doors import DOORS, Door, Seen

pytestmark = pytest.mark.django_db

BROWSER = {"Accept": "text/html"}
# What Django's own middleware adds to answers that pass it.
OF_DJANGO = {"x-frame-options", "cross-origin-opener-policy"}

STREAM = {"DELIVERY": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}}

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def comparable(seen: Seen) -> tuple[int, dict[str, str], bytes]:
    """``seen`` without what differs from request to request."""
    headers = {name: value for name, value in seen.headers.items() if name not in OF_DJANGO}
    if "location" in headers:
        headers["location"] = re.sub(r"/t/[^/]+/", "/t/TICKET/", headers["location"])
    body = re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"UUID", seen.body)
    return seen.status, headers, body


REQUESTS: list[tuple[str, dict[str, str]]] = [
    ("GET", {}),
    ("HEAD", {}),
    ("OPTIONS", {}),
    ("POST", {}),
    ("PUT", {}),
    ("GET", {"Range": "bytes=2-4"}),
    ("GET", {"Range": "bytes=99-"}),
    ("GET", {"Sec-Purpose": "prefetch"}),
    ("GET", BROWSER),
    ("GET", {**BROWSER, "Accept-Language": "de"}),
    ("GET", {"Origin": "https://app.example"}),
]


@pairwise(
    settled=[{}, STREAM, {"CORS": "*"}, {"CACHE_SECONDS": 5}],
    request_line=REQUESTS,
    limits=[{}, {"paused": True}, {"max_downloads": 0}, {"max_downloads": 9}, {"password": "!"}],
)
def test_a_visit_is_answered_alike(
    settings: Settings,
    settled: dict[str, Any],
    request_line: tuple[str, dict[str, str]],
    limits: dict[str, Any],
) -> None:
    method, headers = request_line
    settings.DIRECTLINKS = settled
    link = DirectLinkFactory(file__path="folder/a b.txt", **limits)
    answers = doors.same_for_all(link.get_absolute_url(), method, headers)
    expected = comparable(answers.pop("view"))
    assert {name: comparable(seen) for name, seen in answers.items()} == dict.fromkeys(
        answers, expected
    )


@pytest.mark.parametrize(
    "path",
    [
        "/f/",
        "/f/x",
        "/f/abcdefgh/a.txt",
        "/f/d/abcdefgh/a.txt",
        "/f/t/1.ig.1.x/a.txt",
        "/f/a/b/c/d",
    ],
)
def test_what_is_no_link_is_answered_alike(path: str) -> None:
    answers = doors.same_for_all(path, headers=BROWSER)
    expected = comparable(answers.pop("view"))
    assert expected[0] == (403 if "/t/" in path else 404)
    assert {name: comparable(seen) for name, seen in answers.items()} == dict.fromkeys(
        answers, expected
    )


# What mail, chats and other file systems make of "café (1).txt".
SPELT = [
    "cafe%CC%81%20(1).txt",
    "caf%C3%A9%20%281%29.txt/",
    "caf%C3%A9%20%281%29.txt.",
    "caf%C3%A9%20%281%29.txt)%3E%22",
    "caf%C3%A9%20%281%29.txt%E3%80%82",
    "caf%C3%A9%20%281%29.txt%EF%BC%89%E3%80%8D",
    "caf%C3%A9%20%281%29.txt/).",
]


@pairwise(door=DOORS, spelt=SPELT, folder=["/f/", "/f/d/"], settled=[{}, STREAM])
def test_a_link_survives_what_programs_add_to_its_address(
    door: Door, spelt: str, folder: str, settled: dict[str, Any], settings: Settings
) -> None:
    settings.DIRECTLINKS = settled
    link = DirectLinkFactory(file__path="caf\u00e9 (1).txt")
    path = f"{folder}{link.code}/{spelt}"
    for _ in range(2):  # the second time, the host is known
        answer = door(path)
        assert answer.status == (200 if settled else 302)
    if not settled:
        target = answer.headers["location"].rpartition("/")[0]
        answer = door(f"{target}/{spelt}")
    assert answer.body == b"some bytes"
    link.refresh_from_db()
    assert link.downloads == 2


@every_door
def test_a_short_code_asks_for_the_exact_name(door: Door) -> None:
    link = DirectLinkFactory(code="imported", file__path="caf\u00e9.txt")
    asked = ["caf%C3%A9.txt", "caf%C3%A9.txt/", "cafe%CC%81.txt", "caf%C3%A9.txt."]
    statuses = [door(f"/f/{link.code}/{name}").status for name in asked]
    assert statuses == [302, 302, 404, 404]


@every_door
@pytest.mark.parametrize(
    ("base", "begins"),
    [
        (None, "/f/t/"),
        ("https://files.example", "https://files.example/f/t/"),
        (["http://testserver"], "http://testserver/f/t/"),
    ],
)
def test_no_host_that_a_request_names_is_repeated(
    door: Door, base: Any, begins: str, settings: Settings
) -> None:
    """Else a cache that keeps redirects could be made to lead others there."""
    settings.DIRECTLINKS = {"BASE_URL": base, "REDIRECT_MAX_AGE": 60}
    settings.ALLOWED_HOSTS = ["*"]
    link = DirectLinkFactory()
    for _ in range(2):
        answer = door(link.get_absolute_url(), headers={"Host": "evil.example"})
        assert answer.headers["location"].startswith(begins)


@every_door
def test_a_visit_is_counted_once(door: Door) -> None:
    link = DirectLinkFactory()
    assert door(link.get_absolute_url()).status == 302
    link.refresh_from_db()
    assert link.downloads == 1
    assert [day.downloads for day in link.days.all()] == [1]


@every_door
def test_a_revoked_link_is_closed_at_once(door: Door) -> None:
    link = DirectLinkFactory(file__path="a.txt")
    target = door(link.get_absolute_url()).headers["location"]
    assert door(target).body == b"some bytes"
    DirectLink.objects.filter(pk=link.pk).revoke(link.created_at)
    assert door(link.get_absolute_url()).status == 404
    assert door(target).status == 404


@every_door
def test_a_host_that_is_not_the_sites_gets_nothing(door: Door, settings: Settings) -> None:
    settings.MIDDLEWARE = []
    link = DirectLinkFactory()
    assert door(link.get_absolute_url(), headers={"Host": "evil.example"}).status == 400
    link.refresh_from_db()
    assert link.downloads == 0
    # Also after a visit that was welcome.
    assert door(link.get_absolute_url()).status == 302
    assert door(link.get_absolute_url(), headers={"Host": "evil.example"}).status == 400


@every_door
def test_what_is_not_below_f_is_the_sites_own(door: Door, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert door("/elsewhere").body == b"the site"


@every_door
def test_a_site_without_our_routes_is_left_alone(door: Door, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert door("/f/abcdefgh/a.txt").status == 404
    assert door("/elsewhere").status == 200


@every_door
def test_a_site_may_have_its_links_in_a_folder(door: Door, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.serving.folder_urls"
    link = DirectLinkFactory(file__path="a.txt")
    assert link.get_absolute_url().startswith("/büro/f/".replace("ü", "%C3%BC"))
    answer = door(link.get_absolute_url())
    assert answer.status == 302
    assert "/b%C3%BCro/f/t/" in answer.headers["location"]


@every_door
def test_an_unexpected_error_is_an_envelope(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("out of order")

    link = DirectLinkFactory(max_downloads=9, password="!")
    monkeypatch.setattr(opening, "fetch_open_link", broken)
    answer = door(link.get_absolute_url())
    assert answer.status == 500
    assert b'"code":-1' in answer.body
    assert link.code not in caplog.text


@every_door
def test_a_developer_gets_djangos_page(
    door: Door, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("out of order")

    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["testserver"]
    link = DirectLinkFactory(password="!")
    monkeypatch.setattr(opening, "fetch_open_link", broken)
    answer = door(link.get_absolute_url())
    assert answer.status == 500
    assert b"out of order" in answer.body


SEGMENTS = st.text("ad t%.~ü/", max_size=4)


@given(st.lists(SEGMENTS, max_size=4).map("/".join))
def test_routes_without_routing_are_those_of_the_urls(rest: str) -> None:
    match = resolve(f"/f/{rest}")
    route = route_of(f"/f/{rest}")
    assert route is not None
    assert match.url_name == route.kind.value
    if route.kind is not Kind.UNKNOWN:
        assert (match.kwargs["secret"], match.kwargs["name"]) == (route.secret, route.name)


def elsewhere(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the site")


urlpatterns = [path("elsewhere", elsewhere)]
