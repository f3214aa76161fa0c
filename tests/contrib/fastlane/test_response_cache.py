"""Answers from memory: only where the site wants them, and never where a limit is to be judged."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import engines
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.contrib.fastlane import response_cache
from directlinks.contrib.fastlane.response_cache import _answers, clear
from directlinks.delivery.base import DeliveryBackend
from directlinks.models import DirectLink
from directlinks.serving import site_cache
from directlinks.serving.site_cache import _sites
from tests.factories import DirectLinkFactory
from tests.serving.doors import DOORS, Door, wsgi
from tests.serving.notebook import NOTEBOOK, Notebook

pytestmark = pytest.mark.django_db

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def base_of(request: HttpRequest) -> str:
    return f"https://{request.META.get('HTTP_X_SITE', 'files')}.example"


@pytest.fixture(autouse=True)
def _nothing_is_known(settings: Settings) -> Any:
    settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "COUNTER": NOTEBOOK}
    clear()
    Notebook.counted.clear()
    Notebook.closed.clear()
    yield
    clear()


def revoke(link: DirectLink) -> None:
    DirectLink.objects.filter(pk=link.pk).revoke(timezone.now())


@every_door
class TestEveryDoor:
    def test_a_proxys_word_for_the_scheme_is_part_of_the_question(
        self, door: Door, settings: Settings
    ) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_SCHEME", "https")
        link = DirectLinkFactory()
        for _ in range(2):
            for scheme in ("http", "https"):
                seen = door(link.get_absolute_url(), headers={"X-Scheme": scheme})
                assert seen.headers["location"].startswith("/f/t/")
        assert len(_answers) == 2

    def test_a_revocation_is_noticed_after_the_seconds_that_the_site_allows(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seconds = [1000.0]
        monkeypatch.setattr(response_cache, "monotonic", lambda: seconds[0])
        link = DirectLinkFactory()
        first = door(link.get_absolute_url())
        revoke(link)
        seconds[0] += 9.9
        again = door(link.get_absolute_url())
        assert (first.status, again.headers["location"]) == (302, first.headers["location"])
        seconds[0] += 0.1
        assert door(link.get_absolute_url()).status == 404

    def test_every_visit_is_counted_and_told(self, door: Door) -> None:
        told: list[int] = []

        def listen(link: int, **facts: Any) -> None:
            told.append(link)

        signals.opened.connect(listen)
        link = DirectLinkFactory()
        try:
            for _ in range(3):
                door(link.get_absolute_url())
        finally:
            signals.opened.disconnect(listen)
        assert Notebook.counted == told == [link.pk] * 3

    @pytest.mark.parametrize(
        "limits",
        [{"max_downloads": 9}, {"referers": "example.org"}, {"password": "!"}, {"ask_first": True}],
    )
    def test_a_link_with_a_limit_is_asked_for_each_time(
        self, door: Door, limits: dict[str, Any]
    ) -> None:
        link = DirectLinkFactory(**limits)
        door(link.get_absolute_url(), headers={"Referer": "https://example.org/"})
        revoke(link)
        assert door(link.get_absolute_url()).status == 404

    @pytest.mark.parametrize(
        "headers",
        [{"Range": "bytes=5-"}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "Slackbot 1.0"}],
    )
    def test_what_is_not_counted_is_not_answered_from_memory(
        self, door: Door, headers: dict[str, str]
    ) -> None:
        link = DirectLinkFactory()
        door(link.get_absolute_url())
        assert door(link.get_absolute_url(), headers=headers).status == 302
        assert door(link.get_absolute_url(), "HEAD").status == 302
        assert Notebook.counted == [link.pk]

    def test_a_counter_may_know_better(self, door: Door) -> None:
        link = DirectLinkFactory()
        door(link.get_absolute_url())
        Notebook.closed.add(link.pk)
        assert door(link.get_absolute_url()).status == 404

    def test_who_asks_from_many_origins_is_remembered_once(self, door: Door) -> None:
        link = DirectLinkFactory()
        for number in range(3):
            headers = {"Origin": f"https://{number}.example"}
            assert door(link.get_absolute_url(), headers=headers).status == 302
        assert len(_answers) == 1

    def test_bytes_are_never_kept(self, door: Door, settings: Settings) -> None:
        stream = {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}
        settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "DELIVERY": stream}
        link = DirectLinkFactory()
        assert door(link.get_absolute_url()).status == 200
        revoke(link)
        assert door(link.get_absolute_url()).status == 404

    def test_the_database_counts_what_memory_answers(self, door: Door, settings: Settings) -> None:
        settings.DIRECTLINKS = {"CACHE_SECONDS": 10}
        link = DirectLinkFactory()
        for _ in range(3):
            assert door(link.get_absolute_url()).status == 302
        link.refresh_from_db()
        assert link.downloads == 3
        revoke(link)
        assert door(link.get_absolute_url()).status == 404  # the statement that counts knows


@every_door
@pytest.mark.parametrize("backend", ["AccelBackend", "SendfileBackend"])
def test_what_a_web_server_is_told_is_kept_too(
    door: Door, backend: str, settings: Settings
) -> None:
    chosen = {"BACKEND": f"directlinks.delivery.backends.web_server.{backend}"}
    settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "COUNTER": NOTEBOOK, "DELIVERY": chosen}
    link = DirectLinkFactory()
    first = door(link.get_absolute_url())
    revoke(link)
    again = door(link.get_absolute_url())
    assert (again.status, again.headers, again.body) == (200, first.headers, b"")
    assert Notebook.counted == [link.pk] * 2
    assert door(link.get_absolute_url(), headers={"Range": "bytes=1-"}).status == 404


@every_door
def test_of_a_content_that_was_replaced_they_are_told_as_late(
    door: Door, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [1000.0]
    monkeypatch.setattr(response_cache, "monotonic", lambda: seconds[0])
    chosen = {"BACKEND": "directlinks.delivery.backends.web_server.AccelBackend"}
    settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "DELIVERY": chosen}
    link = DirectLinkFactory()
    first = door(link.get_absolute_url())
    link.file.content = ContentFile(b"new", name="new.txt")
    link.file.save()
    assert door(link.get_absolute_url()).headers == first.headers
    seconds[0] += 10
    header = "x-accel-redirect"
    assert door(link.get_absolute_url()).headers[header] != first.headers[header]


def with_bytes() -> HttpResponseBase:
    return HttpResponse(b"bytes")


def of_a_template() -> HttpResponseBase:
    template = engines["django"].from_string("bytes")
    return SimpleTemplateResponse(template).render()


def refusing() -> HttpResponseBase:
    return HttpResponse(status=404, headers={"Content-Length": "0"})


class Chosen(DeliveryBackend):
    """One that answers all visitors alike, in its own way."""

    is_public = True

    def __init__(self, storage: Any, *, answer: Callable[[], HttpResponseBase]) -> None:
        super().__init__(storage)
        self.answer = answer

    def deliver(self, request: HttpRequest, *args: Any) -> HttpResponseBase:
        return self.answer()


@pytest.mark.parametrize("answer", [with_bytes, of_a_template, refusing])
@every_door
def test_no_other_answer_is_kept_whatever_the_backend_says(
    door: Door, answer: Any, settings: Settings
) -> None:
    chosen = {"BACKEND": f"{__name__}.Chosen", "OPTIONS": {"answer": answer}}
    settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "DELIVERY": chosen}
    link = DirectLinkFactory()
    expected = (404, b"") if answer is refusing else (200, b"bytes")
    for _ in range(2):
        seen = door(link.get_absolute_url())
        assert (seen.status, seen.body) == expected
    assert not _answers


def test_without_the_setting_nothing_is_kept(settings: Settings) -> None:
    settings.DIRECTLINKS = {"COUNTER": NOTEBOOK}
    link = DirectLinkFactory()
    wsgi(link.get_absolute_url())
    assert _answers == {}


def test_a_callable_base_url_is_asked_each_time(settings: Settings) -> None:
    settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "BASE_URL": f"{__name__}.base_of"}
    link = DirectLinkFactory()
    for name in ("one", "two"):
        answer = wsgi(link.get_absolute_url(), headers={"X-Site": name})
        assert answer.headers["location"].startswith(f"https://{name}.example/f/t/")


def test_each_host_has_its_own_answer(settings: Settings) -> None:
    hosts = ("testserver", "localhost")
    base = [f"http://{host}" for host in hosts]
    settings.DIRECTLINKS = {"CACHE_SECONDS": 10, "COUNTER": NOTEBOOK, "BASE_URL": base}
    link = DirectLinkFactory()
    for host in (*hosts, "testserver"):
        answer = wsgi(link.get_absolute_url(), headers={"Host": host})
        assert answer.headers["location"].startswith(f"http://{host}/f/t/")


@pytest.mark.parametrize("ending", ["/", ".", ")", "%E3%80%82"])
@every_door
def test_a_name_that_is_spelt_otherwise_is_not_kept(door: Door, ending: str) -> None:
    """There is no end of such spellings."""
    link = DirectLinkFactory()
    assert door(link.get_absolute_url() + ending).status == 302
    assert not _answers


def test_answers_and_sites_in_memory_are_bounded(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(response_cache, "MAX_ANSWERS", 2)
    monkeypatch.setattr(site_cache, "MOST_SITES", 2)
    for number in range(7):
        Client().get(
            DirectLinkFactory().get_absolute_url(), headers={"Host": f"host{number}.example"}
        )
        assert 0 < len(_answers) <= 2
        assert 0 < len(_sites) <= 2
