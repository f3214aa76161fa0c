"""Opening a link: what is judged, what is prepared, and what is counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse

from directlinks.core.errors import (
    LinkExpired,
    LinkNotFound,
    LinkUsedUp,
    NotForPreviews,
    TicketExpired,
    TicketInvalid,
)
from directlinks.core.signing import Ticket, issue
from directlinks.core.visits import VisitRequest
from directlinks.datetimes import as_stored
from directlinks.delivery.download import Download
from directlinks.models import DirectLink
from directlinks.services.opening import (
    open_direct_link,
    redeem_ticket,
)
from directlinks.sql.links import LinkRow
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


class Door:
    """It answers with ``status``, and remembers what it was given to deliver."""

    counts_first = False

    def __init__(self, status: int = 302) -> None:
        self.status = status
        self.given: list[Download] = []

    def __call__(self, download: Download) -> HttpResponse:
        self.given.append(download)
        return HttpResponse(status=self.status)


@pytest.fixture(autouse=True, params=[True, False], ids=["counts first", "counts last"])
def _both_kinds_of_doors(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Door, "counts_first", request.param)


def opened(link: DirectLink, door: Door, visit: VisitRequest | None = None, **changes: Any) -> Any:
    asked = {"code": link.code, "name": link.name, "attachment": False, "now": NOW, **changes}
    visit = visit or VisitRequest(method="GET")
    return open_direct_link(visit=visit, deliver=door, check_password=always, **asked).answer


def always(row: LinkRow) -> None:
    """Let everybody in."""


def downloads(link: DirectLink) -> int:
    return DirectLink.objects.values_list("downloads", flat=True).get(pk=link.pk)


@pytest.mark.parametrize(
    ("status", "counted"),
    [(200, 1), (206, 1), (302, 1), (304, 0), (404, 0), (412, 0), (416, 0), (500, 0)],
)
@pytest.mark.parametrize("limits", [{}, {"max_downloads": 1}])
def test_only_an_answer_from_which_bytes_can_be_had_counts(
    status: int, counted: int, limits: dict[str, int]
) -> None:
    link = DirectLinkFactory(**limits)
    assert opened(link, Door(status)).status_code == status
    assert downloads(link) == counted


def test_what_cannot_be_delivered_is_not_counted() -> None:
    link = DirectLinkFactory(max_downloads=1)

    class Empty(Door):
        def __call__(self, download: Download) -> HttpResponse:
            raise LinkNotFound

    with pytest.raises(LinkNotFound):
        opened(link, Empty())
    assert downloads(link) == 0


@pytest.mark.parametrize("code", ["", "abc", "ab/d", "a" * 65])
def test_what_is_no_code_is_not_looked_up(code: str, django_assert_num_queries: Any) -> None:
    link, door = DirectLinkFactory(), Door()
    with django_assert_num_queries(0), pytest.raises(LinkNotFound):
        opened(link, door, code=code)


@pytest.mark.parametrize("change", [{"code": "wxyzWXYZ"}, {"name": "b.txt"}, {"name": "A.txt"}])
def test_code_and_name_must_be_the_links_own(change: dict[str, Any]) -> None:
    link, door = DirectLinkFactory(code="abcdEFGH", name="a.txt"), Door()
    with pytest.raises(LinkNotFound):
        opened(link, door, **change)
    assert door.given == []


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"paused": True}, LinkNotFound),
        ({"expires_at": NOW}, LinkExpired),
        ({"max_downloads": 0}, LinkUsedUp),
    ],
)
def test_a_link_that_does_not_open_delivers_nothing(
    limits: dict[str, Any], error: type[Exception]
) -> None:
    door = Door()
    with pytest.raises(error):
        opened(DirectLinkFactory(**limits), door)
    assert door.given == []


def test_a_preview_of_a_limited_link_delivers_nothing() -> None:
    door, visit = Door(), VisitRequest(method="GET", purposes=("prefetch",))
    with pytest.raises(NotForPreviews):
        opened(DirectLinkFactory(max_downloads=1), door, visit)
    assert door.given == []
    assert opened(DirectLinkFactory(), door, visit).status_code == 302


@pytest.mark.parametrize(
    ("limits", "error"), [({"max_downloads": 1}, LinkUsedUp), ({}, LinkNotFound)]
)
def test_a_link_that_somebody_else_ended_meanwhile_is_refused(
    limits: dict[str, int], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Counted last, it may end between being read and being counted.
    monkeypatch.setattr(Door, "counts_first", False)
    link = DirectLinkFactory(**limits)

    class Slow(Door):
        def __call__(self, download: Download) -> HttpResponse:
            DirectLink.objects.filter(pk=link.pk).revoke(NOW)
            return super().__call__(download)

    with pytest.raises(error):
        opened(link, Slow())
    assert downloads(link) == 0


class TestDownload:
    def test_it_is_described_by_our_records(self) -> None:
        until = NOW + timedelta(hours=1)
        link, door = DirectLinkFactory(file__path="folder/a.txt", expires_at=until), Door()
        opened(link, door)
        (given,) = door.given
        assert given == Download(
            link=link.pk,
            code=link.code,
            password="",
            name="a.txt",
            content=link.file.content,
            storage_alias="default",
            content_type="text/plain; charset=utf-8",
            version=link.file.version,
            size=link.file.size,
            modified_at=link.file.content_updated_at,
            attachment=False,
            head_only=False,
            limited=False,
            guarded=False,
            until=until,
        )

    @pytest.mark.parametrize(
        ("name", "asked", "attachment"),
        [("a.png", False, False), ("a.png", True, True), ("a.svg", False, True)],
    )
    def test_what_could_act_is_an_attachment_always(
        self, name: str, asked: bool, attachment: bool
    ) -> None:
        door = Door()
        opened(DirectLinkFactory(file__path=name), door, attachment=asked)
        assert [given.attachment for given in door.given] == [attachment]

    @pytest.mark.parametrize(("method", "head_only"), [("GET", False), ("HEAD", True)])
    @pytest.mark.parametrize(("limits", "limited"), [({}, False), ({"max_downloads": 9}, True)])
    def test_it_says_who_asks_and_whether_visits_are_limited(
        self, method: str, head_only: bool, limits: dict[str, int], limited: bool
    ) -> None:
        door = Door()
        opened(DirectLinkFactory(**limits), door, VisitRequest(method=method))
        assert [(given.head_only, given.limited) for given in door.given] == [(head_only, limited)]


class TestTickets:
    @staticmethod
    def text(link: DirectLink, key: str, **changes: Any) -> str:
        claim = {"link": link.pk, "attachment": False, "head_only": False, **changes}
        ticket = Ticket(**{"expires": int(NOW.timestamp()) + 60, **claim})
        return issue(ticket, key.encode(), code=link.code, password=link.password)

    def test_one_is_good_for_its_download(self, settings: Any) -> None:
        link = DirectLinkFactory(file__path="a.png", max_downloads=1, downloads=1)
        text = self.text(link, settings.SECRET_KEY, attachment=True)
        found = redeem_ticket(text=text, name="a.png", method="GET", now=NOW)
        assert (found.link, found.attachment, found.limited) == (link.pk, True, True)

    def test_one_for_headers_is_good_for_a_head(self, settings: Any) -> None:
        link = DirectLinkFactory(file__path="a.png")
        text = self.text(link, settings.SECRET_KEY, head_only=True)
        assert redeem_ticket(text=text, name="a.png", method="HEAD", now=NOW).head_only is True
        with pytest.raises(TicketInvalid):
            redeem_ticket(text=text, name="a.png", method="GET", now=NOW)

    @pytest.mark.parametrize(
        ("limits", "name", "error"),
        [
            ({}, "b.png", LinkNotFound),
            ({"paused": True}, "a.png", LinkNotFound),
            ({"revoked_at": NOW}, "a.png", LinkNotFound),
            ({"expires_at": NOW}, "a.png", LinkExpired),
        ],
    )
    def test_the_link_is_judged_again(
        self, limits: dict[str, Any], name: str, error: type[Exception], settings: Any
    ) -> None:
        link = DirectLinkFactory(file__path="a.png", **limits)
        text = self.text(link, settings.SECRET_KEY)
        with pytest.raises(error):
            redeem_ticket(text=text, name=name, method="GET", now=NOW)

    @pytest.mark.parametrize(
        ("key", "seconds", "error"),
        [(None, 60, TicketExpired), ("another key", 0, TicketInvalid)],
    )
    def test_it_must_be_ours_and_in_time(
        self, key: str | None, seconds: int, error: type[Exception], settings: Any
    ) -> None:
        text = self.text(DirectLinkFactory(), key or settings.SECRET_KEY)
        with pytest.raises(error):
            redeem_ticket(text=text, name="x", method="GET", now=NOW + timedelta(seconds=seconds))
