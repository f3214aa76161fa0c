"""A link that asks first: only the button of its page, a POST, counts and leads to the file."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.core.errors import ConfirmationRequired, PasswordRequired, WrongPassword
from directlinks.core.visits import PREVIEW_AGENTS
from directlinks.delivery.base import DeliveryBackend
from directlinks.models import DirectLink
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.pairs import pairwise
from tests.security.asking import LOCAL, every_door
from tests.serving.doors import DOORS, Door, Seen
from tests.serving.notebook import NOTEBOOK, Notebook

pytestmark = pytest.mark.django_db

DATA = b"0123456789"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def new_link(**limits: Any) -> Any:
    return DirectLinkFactory(ask_first=True, file__data=DATA, **limits)


def downloads(link: DirectLink) -> int:
    return DirectLink.objects.values_list("downloads", flat=True).get(pk=link.pk)


def is_asked(seen: Seen) -> bool:
    """Whether ``seen`` asks first, and has nothing of the file and no way to it."""
    return (
        seen.status == 428
        and not {"location", "x-accel-redirect", "x-sendfile"} & set(seen.headers)
        and DATA not in seen.body
    )


@pairwise(door=DOORS, backend=LOCAL, limits=[{}, {"max_downloads": 2}], save=[False, True])
def test_only_a_post_counts_and_leads_to_the_file(
    door: Door, backend: str, limits: dict[str, Any], save: bool, settings: Settings
) -> None:
    settings.DIRECTLINKS = {**delivery(backend), "CACHE_SECONDS": 60}
    link = new_link(**limits)
    path = link.get_absolute_url().replace("/f/", "/f/d/" if save else "/f/")
    for headers in ({}, BROWSER, {"Range": "bytes=0-"}, {"Range": "bytes=0-1"}):
        assert is_asked(door(path, headers=headers))
        assert is_asked(door(path, "HEAD", headers))
    assert downloads(link) == 0

    clicked = door(path, "POST", BROWSER)
    assert (clicked.status, downloads(link)) == (303, 1)
    assert clicked.headers["cache-control"] == "private, no-store"
    # The page can be loaded again, and a download resumed, without another count.
    target = clicked.headers["location"]
    for byte_range, part in ((None, DATA), ("bytes=0-", DATA), ("bytes=4-", DATA[4:])):
        seen = door(target, headers={"Range": byte_range} if byte_range else {})
        assert seen.headers["content-disposition"].startswith("attachment" if save else "inline")
        if handed := {"x-accel-redirect", "x-sendfile"} & set(seen.headers):
            assert link.file.content.name in seen.headers[handed.pop()]
        else:
            assert seen.body == part
    assert is_asked(door(path, headers=BROWSER))
    assert downloads(link) == 1


@every_door
@pytest.mark.parametrize("storage", ["bucket", "signing_bucket"])
def test_a_bucket_is_reached_by_a_post_alone(
    door: Door, storage: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(storage)
    link = new_link(max_downloads=1)
    path = link.get_absolute_url()
    assert is_asked(door(path, headers=BROWSER))
    assert is_asked(door(path, "HEAD"))
    clicked = door(path, "POST")
    assert (clicked.status, downloads(link)) == (303, 1)
    assert "/f/t/" not in clicked.headers["location"]
    assert door(path, "POST").status == 410


@every_door
def test_previews_and_visits_leave_all_downloads_to_those_who_click(door: Door) -> None:
    link = new_link(max_downloads=3)
    path = link.get_absolute_url()
    agents = [{"User-Agent": f"Mozilla/5.0 ({agent}/1.0)"} for agent in PREVIEW_AGENTS[:25]]
    for headers in [*agents, {"Sec-Purpose": "prefetch"}, *([BROWSER] * 25)]:
        assert is_asked(door(path, headers=headers))
    assert downloads(link) == 0
    assert [door(path, "POST").status for _ in range(5)] == [303, 303, 303, 410, 410]
    assert door(path, headers=BROWSER).status == 410


@every_door
def test_programs_are_told_how_to_go_on(door: Door) -> None:
    seen = door(new_link().get_absolute_url())
    assert seen.headers["content-type"] == "application/json; charset=utf-8"
    assert b'{"code":428,"msg":"This link asks first: send a POST request' in seen.body


@every_door
def test_the_page_has_one_button_and_is_kept_by_nothing(door: Door) -> None:
    link = new_link(file__path="a \u202etxt.pdf")
    seen = door(link.get_absolute_url(), headers=BROWSER)
    page = seen.body.decode()
    assert page.count("<button") == page.count('<form method="post">') == 1
    assert "<h1>a txt.pdf</h1>" in page
    assert "10\xa0bytes" in page
    assert "<script" not in page
    assert seen.headers["cache-control"] == "private, no-store"
    assert seen.headers["x-robots-tag"] == "noindex, nofollow"
    refused = door("/f/abcdefgh/a.txt", headers=BROWSER)
    # In all else it is as safe as every other page.
    varying = {"content-length", "date"}
    assert {name: seen.headers[name] for name in seen.headers.keys() - varying} == {
        name: refused.headers[name] for name in refused.headers.keys() - varying
    }


class TestWithAPassword:
    @pytest.fixture
    def link(self) -> Any:
        return new_link(password=make_password("secret"), max_downloads=2)

    def test_one_form_and_one_click_are_enough(self, link: DirectLink) -> None:
        browser, path = Client(headers=BROWSER), link.get_absolute_url()
        page: Any = browser.get(path)
        assert (page.status_code, page.content.count(b"<form")) == (401, 1)
        clicked = browser.post(path, {"password": "secret"})
        assert (clicked.status_code, downloads(link)) == (303, 1)
        assert "/f/t/" in clicked.headers["Location"]
        # The next time the browser knows the password, and has the button alone.
        page = browser.get(path)
        assert (page.status_code, b"password" in page.content) == (428, False)
        assert browser.post(path).status_code == 303
        assert browser.post(path).status_code == 410

    @pytest.mark.parametrize("data", [{}, {"password": ""}, {"password": "wrong"}])
    def test_a_click_without_it_does_not_count(
        self, link: DirectLink, data: dict[str, str]
    ) -> None:
        answer = Client(headers=BROWSER).post(link.get_absolute_url(), data)
        assert (answer.status_code, downloads(link)) == (401, 0)
        assert b'name="password"' in answer.content
        assert "Set-Cookie" not in answer.headers

    def test_programs_send_it_in_the_header(self, link: DirectLink) -> None:
        path = link.get_absolute_url()
        headers = {"X-Link-Password": "secret"}
        assert Client().get(path).status_code == 401
        assert Client().get(path, headers=headers).status_code == 428
        assert Client().post(path, headers={"X-Link-Password": "wrong"}).status_code == 401
        clicked = Client().post(path, headers=headers)
        assert (clicked.status_code, downloads(link)) == (303, 1)
        assert "Set-Cookie" not in clicked.headers


@every_door
@pytest.mark.parametrize(
    ("base_url", "referer", "status"),
    [
        (None, "https://example.org/list.html", 303),
        (None, "http://testserver/f/page", 303),
        ("https://files.example.com", "https://files.example.com/f/page", 303),
        (None, "https://files.example.com/f/page", 403),
        (None, "http://user.testserver/", 403),
        (None, "https://leech.example/", 403),
        (None, None, 403),
    ],
)
def test_a_click_may_come_from_an_allowed_site_or_the_page_itself(
    door: Door, base_url: str | None, referer: str | None, status: int, settings: Settings
) -> None:
    settings.DIRECTLINKS = {"BASE_URL": base_url}
    link = new_link(referers="example.org")
    path = link.get_absolute_url()
    for sender, seen in (("https://example.org/", 428), ("http://testserver/f/page", 403)):
        assert door(path, headers={"Referer": sender}).status == seen
    clicked = door(path, "POST", {} if referer is None else {"Referer": referer})
    assert (clicked.status, downloads(link)) == (status, int(status == 303))


@every_door
def test_a_link_that_does_not_ask_takes_no_post(door: Door) -> None:
    link = DirectLinkFactory()
    assert door(link.get_absolute_url(), "POST").status == 405
    assert downloads(link) == 0


def test_a_click_is_counted_where_the_site_counts(settings: Settings) -> None:
    settings.DIRECTLINKS = {"COUNTER": NOTEBOOK}
    Notebook.counted.clear()
    link = new_link()
    assert Client().post(link.get_absolute_url()).status_code == 303
    assert Notebook.counted == [link.pk]
    Notebook.counted.clear()


def test_listeners_hear_of_questions_and_of_clicks() -> None:
    link, heard = new_link(password=make_password("secret")), []

    def listen(**kwargs: Any) -> None:
        heard.append(kwargs.get("link") or type(kwargs["error"]))

    for signal in (signals.opened, signals.refused):
        signal.connect(listen, weak=False)
    try:
        path = link.get_absolute_url()
        Client().get(path)
        Client().get(path, headers={"X-Link-Password": "secret"})
        Client().post(path, {"password": "wrong"})
        Client().post(path, {"password": "secret"})
    finally:
        for signal in (signals.opened, signals.refused):
            signal.disconnect(listen)
    assert heard == [PasswordRequired, ConfirmationRequired, WrongPassword, link.pk]


class Broken(DeliveryBackend):
    """One that answers with something that grants nothing."""

    def deliver(self, request: Any, download: Any, now: Any) -> Any:
        return HttpResponse(status=503)


def test_an_answer_that_grants_nothing_is_not_counted(settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": f"{__name__}.Broken"}}
    link = new_link()
    assert Client().post(link.get_absolute_url()).status_code == 503
    assert downloads(link) == 0
