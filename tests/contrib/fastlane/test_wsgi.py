"""The fast lane: what it may answer, what it costs, and what it leaves to the long way."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.hashers import make_password
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from gunicorn.http.wsgi import FileWrapper
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.contrib.fastlane import wsgi as fastlane
from directlinks.contrib.fastlane.response_cache import _answers, clear
from directlinks.contrib.fastlane.wsgi import DirectLinksWSGI
from directlinks.core.visits import VisitKind, VisitRequest
from directlinks.delivery.backends.signed_url import SignedURLBackend
from directlinks.delivery.backends.stream import StreamBackend
from directlinks.delivery.responses import Blocks, PlainResponse
from directlinks.models import File
from directlinks.serving.site_cache import _sites
from tests.factories import DirectLinkFactory
from tests.serving.doors import wsgi
from tests.serving.notebook import NOTEBOOK, Notebook

pytestmark = pytest.mark.django_db

BYTES = b"some bytes"  # of every file of the factory
REDIRECT = "directlinks.delivery.backends.storage_url.StorageURLBackend"
HTTPS = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    clear()
    Notebook.counted.clear()
    Notebook.closed.clear()
    yield
    clear()


def environ(path: str, **facts: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "HTTP_HOST": "testserver",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **facts,
    }


class Lane(DirectLinksWSGI):
    """It notes what it does not answer by itself."""

    def __init__(self) -> None:
        super().__init__(WSGIHandler())
        self.long_ways = 0

    def get_response(self, request: Any) -> Any:
        self.long_ways += 1
        return super().get_response(request)

    def read(self, path: str) -> bytes:
        answer = self(environ(path), lambda status, headers: None)
        try:
            return b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def ask(self, path: str, **facts: str) -> dict[str, str]:
        told: list[tuple[str, str]] = []
        answer = self(environ(path, **facts), lambda status, headers: told.extend(headers))
        if hasattr(answer, "close"):
            answer.close()
        return dict(told)


def test_a_plain_visit_makes_no_request_object() -> None:
    link, lane = DirectLinkFactory(), Lane()
    lane.ask(link.get_absolute_url())  # the host is not known yet
    assert lane.long_ways == 1
    headers = lane.ask(link.get_absolute_url())
    assert headers["Location"].startswith("/f/t/")
    assert lane.long_ways == (2 if connection.vendor == "mysql" else 1)  # it asks before it counts
    link.refresh_from_db()
    assert link.downloads == 2


@pytest.mark.parametrize(
    ("limits", "facts"),
    [
        ({"password": make_password("x")}, {}),
        ({"paused": True}, {}),
        ({}, {"REQUEST_METHOD": "HEAD"}),
        ({}, {"REQUEST_METHOD": "POST"}),
        ({}, {"HTTP_RANGE": "bytes=0-"}),
        ({}, {"HTTP_SEC_PURPOSE": "prefetch"}),
        ({}, {"HTTP_HOST": "evil.example"}),
        ({}, {"PATH_INFO": "/f/abc/x"}),
        ({}, {"PATH_INFO": "/f/t/1.ig.1.x/a"}),
    ],
)
def test_what_is_not_plain_takes_the_long_way(
    limits: dict[str, Any], facts: dict[str, str]
) -> None:
    lane = Lane()
    lane.ask(DirectLinkFactory().get_absolute_url())
    lane.long_ways = 0
    lane.ask(DirectLinkFactory(**limits).get_absolute_url(), **facts)
    assert lane.long_ways == 1


@pytest.mark.parametrize(
    "settled",
    [
        {"CORS": "*"},
        {"BASE_URL": "tests.contrib.fastlane.test_response_cache.base_of"},
    ],
)
def test_a_site_whose_answers_depend_on_more_takes_the_long_way(
    settings: Settings, settled: dict[str, Any]
) -> None:
    settings.DIRECTLINKS = settled
    link, lane = DirectLinkFactory(), Lane()
    for _ in range(2):
        lane.ask(link.get_absolute_url())
    assert lane.long_ways == 2


HANDED_OVER = {
    "X-Accel-Redirect": "directlinks.delivery.backends.web_server.AccelBackend",
    "X-Sendfile": "directlinks.delivery.backends.web_server.SendfileBackend",
}


@pytest.mark.parametrize("header", HANDED_OVER)
def test_what_the_web_server_sends_needs_no_request_object_either(
    settings: Settings, header: str
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": HANDED_OVER[header]}}
    link, lane = DirectLinkFactory(), Lane()
    path = link.get_absolute_url()
    told = [lane.ask(path) for _ in range(3)]
    assert header in told[0]
    assert told == [told[0]] * 3
    assert lane.long_ways == (3 if connection.vendor == "mysql" else 1)
    link.refresh_from_db()
    assert link.downloads == 3


STREAM = "directlinks.delivery.backends.stream.StreamBackend"


class Watchful(StreamBackend):
    """It looks at the request."""

    def deliver(self, *args: Any) -> Any:
        return super().deliver(*args)


def test_bytes_need_no_request_object_either() -> None:
    link, lane = DirectLinkFactory(), Lane()
    lane.ask(link.get_absolute_url())
    target = urlsplit(lane.ask(link.get_absolute_url())["Location"]).path
    lane.long_ways = 0
    assert lane.read(target) == BYTES
    assert lane.long_ways == 0


@pytest.mark.parametrize("limits", [{}, {"max_downloads": 3}])
def test_a_remembered_handover_needs_no_request_object(
    settings: Settings, limits: dict[str, Any]
) -> None:
    backend = {"BACKEND": HANDED_OVER["X-Accel-Redirect"]}
    settings.DIRECTLINKS = {"DELIVERY": backend, "CACHE_SECONDS": 10}
    lane = Lane()
    lane.ask(DirectLinkFactory().get_absolute_url())
    link = DirectLinkFactory(**limits)
    told = [lane.ask(link.get_absolute_url()) for _ in range(3)]
    assert told[0]["X-Accel-Redirect"]
    assert told == [told[0]] * 3
    asks_before_it_counts = connection.vendor == "mysql"
    assert lane.long_ways == 1 + asks_before_it_counts * (3 if limits else 1)
    assert len(_answers) == (1 if limits else 2)
    link.refresh_from_db()
    assert link.downloads == 3


@pytest.mark.parametrize("counter", ["database", NOTEBOOK])
@pytest.mark.parametrize("shape", ["/f/{}/{}", "/f/d/{}/{}"])
def test_a_stream_says_the_same_on_either_way(settings: Settings, shape: str, counter: Any) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}, "COUNTER": counter}
    link, lane = DirectLinkFactory(), Lane()
    path = shape.format(link.code, link.name)
    told = [lane.ask(path) for _ in range(2)]
    assert told[0]["Content-Disposition"].startswith("attachment" if "/d/" in shape else "inline")
    assert told[1] == told[0]
    assert lane.long_ways == 1


@pytest.mark.parametrize("counter", ["database", NOTEBOOK])
def test_whoever_listens_hears_of_it(settings: Settings, counter: Any) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}, "COUNTER": counter}
    told: list[int] = []

    def listen(link: int, **facts: Any) -> None:
        told.append(link)

    link, lane = DirectLinkFactory(), Lane()
    signals.opened.connect(listen)
    try:
        for _ in range(2):
            lane.ask(link.get_absolute_url())
    finally:
        signals.opened.disconnect(listen)
    assert (told, lane.long_ways) == ([link.pk] * 2, 1)


@pytest.mark.parametrize("limits", [{"password": make_password("x")}, {"paused": True}])
def test_a_stream_that_is_not_claimed_is_looked_up_once(
    settings: Settings, limits: dict[str, Any]
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}}
    lane = Lane()
    lane.ask(DirectLinkFactory().get_absolute_url())
    path = DirectLinkFactory(**limits).get_absolute_url()
    with CaptureQueriesContext(connection) as asked:
        lane.ask(path)
    begin = [one["sql"].split()[0] for one in asked]
    assert begin.count("SELECT") == (2 if connection.vendor == "mysql" else 1)


@pytest.mark.parametrize("limits", [{}, {"max_downloads": 2}])
def test_a_stream_needs_no_request_object_and_is_counted(
    settings: Settings, limits: dict[str, Any]
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}}
    link, lane = DirectLinkFactory(**limits), Lane()
    assert [lane.read(link.get_absolute_url()) for _ in range(2)] == [BYTES, BYTES]
    assert lane.long_ways == 1
    link.refresh_from_db()
    assert link.downloads == 2


def test_a_stream_is_counted_by_any_counter(settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}, "COUNTER": NOTEBOOK}
    link, lane = DirectLinkFactory(), Lane()
    assert [lane.read(link.get_absolute_url()) for _ in range(2)] == [BYTES, BYTES]
    assert lane.long_ways == 1
    assert Notebook.counted == [link.pk] * 2


def test_one_statement_opens_a_stream_where_it_can(settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}}
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    lane.ask(path)
    with CaptureQueriesContext(connection) as asked:
        lane.ask(path)
    begin = [one["sql"].split()[0] for one in asked]
    assert begin.count("UPDATE") + begin.count("WITH") == 1
    # It cannot return what it changed, so it is asked first.
    assert begin.count("SELECT") == (1 if connection.vendor == "mysql" else 0)


def test_a_server_may_send_the_file_in_its_own_way(settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}}
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    lane.read(path)
    answer: Any = lane(environ(path, **{"wsgi.file_wrapper": FileWrapper}), lambda *told: None)
    assert isinstance(answer, FileWrapper)
    assert b"".join(answer) == BYTES
    answer.close()
    with pytest.raises(ValueError, match="closed"):
        answer.filelike.read(1)


@pytest.mark.parametrize(
    "asked",
    [
        {"HTTP_RANGE": "bytes=1-2"},
        {"HTTP_IF_NONE_MATCH": '"x"'},
        {"HTTP_IF_MODIFIED_SINCE": "Mon, 23 Nov 2026 12:00:00 GMT"},
        {"HTTP_IF_MATCH": "*"},
        {"HTTP_IF_UNMODIFIED_SINCE": "Mon, 23 Nov 2026 12:00:00 GMT"},
        {"REQUEST_METHOD": "HEAD"},
    ],
)
@pytest.mark.parametrize(
    "backend", [STREAM, "directlinks.delivery.backends.signed_url.SignedURLBackend"]
)
def test_parts_and_conditions_take_the_long_way(
    settings: Settings, backend: str, asked: dict[str, str]
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": backend}}
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    path = urlsplit(lane.ask(path).get("Location", path)).path
    lane.long_ways = 0
    lane.ask(path, **asked)
    assert lane.long_ways == 1


@pytest.mark.parametrize(
    "limits",
    [
        {"password": make_password("x")},
        {"paused": True},
        {"referers": "example.org"},
        {"ask_first": True},
    ],
)
def test_streams_of_links_with_more_limits_take_the_long_way(
    settings: Settings, limits: dict[str, Any]
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}}
    lane = Lane()
    lane.ask(DirectLinkFactory().get_absolute_url())
    lane.ask(DirectLinkFactory(**limits).get_absolute_url())
    assert lane.long_ways == 2


@pytest.mark.parametrize("backend", [f"{__name__}.Watchful", REDIRECT])
def test_a_backend_that_reads_the_request_takes_the_long_way(
    settings: Settings, backend: str
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": backend}}
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    for _ in range(2):
        lane.ask(path)
    assert lane.long_ways == 2


@pytest.mark.parametrize(
    "backend", [STREAM, "directlinks.delivery.backends.signed_url.SignedURLBackend"]
)
def test_lost_bytes_are_said_by_the_long_way_and_not_counted(
    settings: Settings, backend: str
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": backend}}
    link, lane = DirectLinkFactory(), Lane()
    path = urlsplit(lane.ask(link.get_absolute_url()).get("Location", link.get_absolute_url())).path
    link.file.content.delete(save=False)
    lane.long_ways = 0
    assert lane.ask(path)["Content-Type"].startswith("application/json")
    assert lane.long_ways == 1
    link.refresh_from_db()
    assert link.downloads == 1


def test_a_stream_that_is_refused_when_it_is_counted_is_closed_and_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody revoked the link since it was read: a journal could not tell, the counter may."""
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}, "COUNTER": NOTEBOOK}
    link, lane, closed = DirectLinkFactory(), Lane(), []
    close = Blocks.close

    def noted(blocks: Blocks) -> None:
        close(blocks)
        closed.append(blocks)

    lane.ask(link.get_absolute_url())
    monkeypatch.setattr(fastlane, "count", lambda row, now: False)
    monkeypatch.setattr(Blocks, "close", noted)
    lane.ask(link.get_absolute_url())
    assert lane.long_ways == 2
    assert closed


def test_what_cannot_be_delivered_is_not_counted_and_said_by_the_long_way(
    settings: Settings,
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": HANDED_OVER["X-Sendfile"]}}
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    lane.ask(path)
    broken = DirectLinkFactory()
    File.objects.update(content="a\nb.txt")
    told = lane.ask(broken.get_absolute_url())
    assert told["Content-Type"].startswith("application/json")
    assert lane.long_ways == 2
    broken.refresh_from_db()
    assert broken.downloads == 0


def test_a_site_that_remembers_answers_counts_them_without_a_request_object(
    settings: Settings,
) -> None:
    settings.DIRECTLINKS = {"CACHE_SECONDS": 5}
    link, lane = DirectLinkFactory(), Lane()
    for _ in range(3):
        lane.ask(link.get_absolute_url())
    assert lane.long_ways == 1
    link.refresh_from_db()
    assert link.downloads == 3


def test_a_server_that_tells_the_path_twice_is_asked_each_time() -> None:
    """Django reads the script prefix from it."""
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    for _ in range(2):
        headers = lane.ask(path, SCRIPT_URL=f"/site{path}")
        assert headers["Location"].startswith("/site/f/t/")
    assert lane.long_ways == 2


def test_a_developers_requests_take_the_long_way_with_all_its_help(settings: Settings) -> None:
    settings.DEBUG = True
    link, lane = DirectLinkFactory(), Lane()
    for _ in range(2):
        lane.ask(link.get_absolute_url())
    assert lane.long_ways == 2


@pytest.mark.skipif(connection.vendor == "mysql", reason="It has no UPDATE that returns rows.")
def test_it_asks_what_a_view_asks() -> None:
    link = DirectLinkFactory()
    wsgi(link.get_absolute_url())
    with CaptureQueriesContext(connection) as queries:
        wsgi(link.get_absolute_url())
    verbs = [query["sql"].split()[0] for query in queries]
    assert [verb for verb in verbs if verb in ("SELECT", "UPDATE", "INSERT", "WITH")] == {
        "sqlite": ["UPDATE", "INSERT"],
        "postgresql": ["WITH"],
    }[connection.vendor]


def test_it_tells_who_listens() -> None:
    told: list[int] = []

    def listen(link: int, **facts: Any) -> None:
        told.append(link)

    link = DirectLinkFactory()
    signals.opened.connect(listen)
    try:
        for _ in range(3):
            wsgi(link.get_absolute_url())
    finally:
        signals.opened.disconnect(listen)
    assert told == [link.pk] * 3


def test_the_word_of_a_declared_proxy_is_taken_for_the_scheme(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = HTTPS
    settings.DIRECTLINKS = {"BASE_URL": ["https://testserver"]}
    link, lane = DirectLinkFactory(), Lane()
    for _ in range(2):
        for facts in ({}, dict([HTTPS])):
            answer = lane.ask(link.get_absolute_url(), **facts)
            assert answer["Location"].startswith("https://testserver/")
    # One look at the host for each scheme.
    assert lane.long_ways == (4 if connection.vendor == "mysql" else 2)


def test_a_script_prefix_is_kept() -> None:
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    for _ in range(2):
        headers = lane.ask(path, SCRIPT_NAME="/site")
        assert headers["Location"].startswith("/site/f/t/")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_too_old_is_closed_as_after_any_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[bool] = []
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    monkeypatch.setattr(connection, "close_at", 0)
    monkeypatch.setattr(connections[connection.alias], "close", lambda: closed.append(True))
    for _ in range(2):
        lane.ask(path)
    assert closed


def test_what_goes_wrong_in_it_is_answered_and_logged_as_in_a_view(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*anything: Any) -> None:
        raise RuntimeError

    link, told = DirectLinkFactory(), []
    path = link.get_absolute_url()
    assert wsgi(path).status == 302  # the host is known from now on
    monkeypatch.setattr(fastlane, "claim", broken)
    got_request_exception.connect(lambda **facts: told.append(facts), weak=False, dispatch_uid=path)
    try:
        seen = wsgi(path)
    finally:
        got_request_exception.disconnect(dispatch_uid=path)
    assert seen.status == 500
    assert json.loads(seen.body)["code"] == -1
    assert seen.headers["cache-control"] == "private, no-store"
    assert len(told) == 1
    assert link.code not in caplog.text


class Elsewhere(SignedURLBackend):
    """It answers with a status that grants nothing."""

    def plain_response(self, *args: Any) -> PlainResponse:
        return super().plain_response(*args)._replace(status_code=307)


def test_an_answer_that_grants_nothing_is_not_counted(settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": f"{__name__}.Elsewhere"}}
    link, lane = DirectLinkFactory(max_downloads=1), Lane()
    for _ in range(2):
        assert "Location" in lane.ask(link.get_absolute_url())
    assert lane.long_ways == 2
    link.refresh_from_db()
    assert link.downloads == 0


def by_purpose(visit: VisitRequest, **facts: Any) -> VisitKind:
    """A site's own rule, which wants to know of each purpose."""
    sec_purpose, _, _, _ = visit.purposes
    return VisitKind.PREVIEW if sec_purpose else VisitKind.DOWNLOAD


def test_a_rule_of_the_site_is_told_the_same(settings: Settings) -> None:
    settings.DIRECTLINKS = {"VISIT_RULE": f"{__name__}.by_purpose"}
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    for _ in range(2):
        lane.ask(path)
    assert lane.long_ways == (2 if connection.vendor == "mysql" else 1)


def test_a_rewritten_address_is_told_for_its_request_alone() -> None:
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    for _ in range(2):
        direct = lane.ask(path, SCRIPT_NAME="/index.wsgi")
        assert direct["Location"].startswith("/index.wsgi/f/t/")
        rewritten = lane.ask(path, SCRIPT_NAME="/index.wsgi", REDIRECT_URL=f"/site{path}")
        assert rewritten["Location"].startswith("/site/f/t/")


@pytest.mark.skipif(connection.vendor == "mysql", reason="It has no UPDATE that returns rows.")
def test_a_prefix_that_the_site_insists_on_is_known(settings: Settings) -> None:
    settings.FORCE_SCRIPT_NAME = "/site"
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    for _ in range(2):
        assert lane.ask(path)["Location"].startswith("/site/f/t/")
    assert lane.long_ways == 1


def test_what_django_does_not_believe_makes_no_difference() -> None:
    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    lane.ask(path)
    for number in range(3):
        lane.ask(path, HTTP_X_FORWARDED_HOST=f"{number}.example")
    assert len(_sites) == 1


@pytest.mark.skipif(connection.vendor == "mysql", reason="It has no UPDATE that returns rows.")
@pytest.mark.django_db(transaction=True)
def test_connections_of_those_who_listen_are_looked_after_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def all_of_them(*handler: Any, **facts: Any) -> list[Any]:
        asked.append(facts)
        return []

    path, lane = DirectLinkFactory().get_absolute_url(), Lane()
    lane.ask(path)
    monkeypatch.setattr(type(connections), "all", all_of_them)
    lane.ask(path)
    assert asked == []
    signals.opened.connect(listen, dispatch_uid=path)
    try:
        lane.ask(path)
    finally:
        signals.opened.disconnect(dispatch_uid=path)
    assert {"initialized_only": True} in asked


def listen(**facts: Any) -> None:
    """Whoever hears of visits."""
