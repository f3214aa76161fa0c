"""Visits while the database is away."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.http import HttpRequest
from pytest_django.fixtures import Settings

from directlinks import reporting
from directlinks.outages import RateLimitedLog
from tests.factories import DirectLinkFactory, FileFactory
from tests.serving.doors import DOORS, Door
from tests.serving.notebook import NOTEBOOK

pytestmark = pytest.mark.django_db

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


class Outage:
    """A database that raises ``error`` for each statement."""

    def __init__(self) -> None:
        self.error: Exception = OperationalError("connection refused")

    def __call__(self, *statement: Any) -> Any:
        raise self.error


@pytest.fixture
def outage() -> Outage:
    return Outage()


@pytest.fixture(autouse=True)
def _nothing_was_logged_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_outages", RateLimitedLog(3600.0))


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The paths of requests that failed unexpectedly."""
    paths: list[str] = []

    def listen(request: HttpRequest, **kwargs: Any) -> None:
        paths.append(request.path)

    got_request_exception.connect(listen)
    yield paths
    got_request_exception.disconnect(listen)


@every_door
@pytest.mark.parametrize("kind", ["link", "stream", "password", "form", "unknown", "ticket"])
def test_each_visit_is_told_to_come_again_and_the_log_says_it_once(
    kind: str,
    door: Door,
    outage: Outage,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    heard: list[str],
) -> None:
    if kind == "stream":
        settings.DIRECTLINKS = {
            "DELIVERY": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}
        }
    link = DirectLinkFactory(password=make_password("x") if kind in ("password", "form") else "")
    path = link.get_absolute_url()
    if kind == "ticket":
        path = door(path).headers["location"]
    door(path)  # the lane knows the host from now on
    caplog.clear()
    path = "/f/guess0000/a.txt" if kind == "unknown" else path
    with connection.execute_wrapper(outage):
        for _ in range(3):
            seen = door(path, "POST" if kind == "form" else "GET", {"X-Link-Password": "x"})
            assert seen.status == 503
            assert seen.headers["retry-after"] == "5"
            assert seen.headers["cache-control"] == "private, no-store"
            assert json.loads(seen.body)["code"] == 503
    assert [record.getMessage() for record in caplog.records] == [
        "The database is away: connection refused"
    ]
    assert heard == []


def test_each_kind_of_error_has_a_line(outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    path = DirectLinkFactory().get_absolute_url()
    with connection.execute_wrapper(outage):
        for outage.error in [OperationalError("a"), InterfaceError("b"), OperationalError("c")]:
            assert DOORS[0](path).status == 503
    assert [record.getMessage()[-1] for record in caplog.records] == ["a", "b"]


def test_a_faulty_statement_is_no_outage(outage: Outage, heard: list[str]) -> None:
    outage.error = ProgrammingError("no such column")
    path = DirectLinkFactory().get_absolute_url()
    with connection.execute_wrapper(outage):
        assert DOORS[0](path).status == 500
    assert heard == [path]


def test_people_read_a_page_that_needs_no_database(
    outage: Outage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site's context processors may ask it."""
    (templates,) = settings.TEMPLATES
    monkeypatch.setitem(templates["OPTIONS"], "context_processors", [f"{__name__}.count_files"])
    settings.TEMPLATES = [templates]
    path = DirectLinkFactory().get_absolute_url()
    with connection.execute_wrapper(outage):
        seen = DOORS[0](path, "GET", {"Accept": "text/html"})
    assert seen.status == 503
    assert b"This site is temporarily unavailable" in seen.body


def count_files(request: HttpRequest) -> dict[str, int]:  # pragma: no cover  # never called
    return {"files": type(FileFactory.build()).objects.count()}


def test_answers_that_are_remembered_and_counted_elsewhere_go_on(
    outage: Outage, settings: Settings
) -> None:
    settings.DIRECTLINKS = {"CACHE_SECONDS": 60, "COUNTER": NOTEBOOK}
    path = DirectLinkFactory().get_absolute_url()
    door = DOORS[2]
    assert door(path).status == 302
    with connection.execute_wrapper(outage):
        assert door(path).status == 302
