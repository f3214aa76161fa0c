"""The written statements beside the ORM, on random links: both find, judge and count alike."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, router
from django.db.models import QuerySet
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from directlinks import sql
from directlinks.core.links import LIMITS, REACHED, LinkState
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, FormerCode
from directlinks.sql import get_link_queries
from directlinks.sql.links import ClaimedLink, LinkRow
from directlinks.sql.orm import ORMLinkQueries
from directlinks.users import active_column
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC))
DAY = date(2026, 5, 4)

moments = st.none() | st.sampled_from([NOW - timedelta(seconds=1), NOW, NOW + timedelta(seconds=1)])
limits = st.fixed_dictionaries(
    {
        "not_before": moments,
        "expires_at": moments,
        "max_downloads": st.none() | st.integers(0, 3),
        "downloads": st.integers(0, 3),
        "paused": st.sampled_from([False, False, True]),
        "password": st.sampled_from(["", "", "a hash"]),
        "referers": st.sampled_from(["", "", "example.org"]),
        "ask_first": st.sampled_from([False, False, True]),
        "revoked_at": st.sampled_from([None, None, NOW]),
        "file__deleted_at": st.sampled_from([None, None, NOW]),
        "file__owner__is_active": st.sampled_from([True, True, False]),
    }
)


def plain() -> ORMLinkQueries:
    return ORMLinkQueries("default")


def claimed_link(link: DirectLink) -> ClaimedLink:
    """What the ORM reads of it."""
    row: Any = plain().fetch(link.code, NOW)
    return ClaimedLink(*(getattr(row, name) for name in ClaimedLink._fields))


def counts(link: DirectLink) -> tuple[int, datetime | None, list[tuple[date, int]]]:
    link.refresh_from_db()
    days = [(day.day, day.downloads) for day in link.days.order_by("day")]
    return link.downloads, link.last_opened_at, days


@given(limits)
def test_a_link_is_read_as_the_orm_reads_it(chosen: dict[str, Any]) -> None:
    link = DirectLinkFactory(**chosen)
    row = get_link_queries().fetch(link.code, NOW)
    assert row == plain().fetch(link.code, NOW) == get_link_queries().fetch_by_key(link.pk)
    assert row is not None
    assert row == plain().fetch_by_key(link.pk)
    assert row.state(NOW) is link.state(NOW)
    assert row.is_unlimited == (
        not any((link.paused, link.password, link.referers, link.ask_first))
        and (link.not_before, link.expires_at, link.max_downloads) == (None, None, None)
    )


@given(limits)
def test_a_download_is_counted_where_the_orm_counts_it(chosen: dict[str, Any]) -> None:
    one, other = DirectLinkFactory(**chosen), DirectLinkFactory(**chosen)
    opens = one.state(NOW) is LinkState.ACTIVE
    assert get_link_queries().count(one.pk, NOW, DAY) == opens
    assert plain().count(other.pk, NOW, DAY) == opens
    assert counts(one) == counts(other)
    assert counts(one)[2] == ([(DAY, 1)] if opens else [])


@given(limits)
def test_one_statement_opens_exactly_what_opens_for_everybody(chosen: dict[str, Any]) -> None:
    link = DirectLinkFactory(**chosen)
    before = counts(link)
    opens = link.state(NOW) is LinkState.ACTIVE and not (
        link.password or link.referers or link.ask_first
    )
    claimed = get_link_queries().claim(link.code, link.name, NOW, DAY)
    if not opens or connection.vendor == "mysql":
        assert claimed is None
        assert counts(link) == before
    else:
        assert claimed == claimed_link(link)
        assert counts(link) == (before[0] + 1, NOW, [(DAY, 1)])


@pytest.mark.skipif(connection.vendor == "postgresql", reason="its booleans are no numbers")
@pytest.mark.parametrize("number", [0, 1, 2, -1])
def test_a_number_that_is_no_boolean_is_not_true(number: int) -> None:
    link = DirectLinkFactory()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET is_active = %s", [number])
    state = LinkState.ACTIVE if number == 1 else LinkState.OWNER_INACTIVE
    for asked in (get_link_queries(), plain()):
        row = asked.fetch(link.code, NOW)
        assert row is not None
        assert row.state(NOW) is state
        assert asked.count(link.pk, NOW, DAY) == (number == 1)
    if connection.vendor == "sqlite":
        opened = get_link_queries().claim(link.code, link.name, NOW, DAY)
        assert (opened is not None) == (number == 1)
    assert DirectLink.objects.get().state(NOW) is state
    assert DirectLink.objects.in_state(state, NOW).exists()
    assert list(LinkState)[DirectLink.objects.with_state(NOW).get().state_place] is state


@pytest.mark.parametrize("change", [{"code": "wxyzWXYZ"}, {"name": "b.txt"}, {"name": "A.txt"}])
def test_what_is_opened_has_this_code_and_name(change: dict[str, str]) -> None:
    DirectLinkFactory(code="abcdEFGH", name="a.txt")
    asked = {"code": "abcdEFGH", "name": "a.txt", **change}
    assert get_link_queries().claim(asked["code"], asked["name"], NOW, DAY) is None


@pytest.mark.parametrize("links", ["written", "plain"])
class TestBoth:
    @pytest.fixture
    def asked(self, links: str) -> Any:
        return plain() if links == "plain" else get_link_queries()

    def test_a_former_code_opens_the_link_for_a_while(self, asked: Any) -> None:
        link = DirectLinkFactory()
        for code, until in (("former1", NOW + timedelta(1)), ("former2", NOW), ("former3", None)):
            FormerCode.objects.create(code=code, link=link, until=until)
        found = asked.fetch("former1", NOW)
        assert (found.link_id, found.code) == (link.pk, "former1")
        assert (found.revoked, found.expires_at) == (False, NOW + timedelta(1))
        # One whose time is over is known, and as good as revoked.
        for code in ("former2", "former3"):
            found = asked.fetch(code, NOW)
            assert (found.link_id, found.code, found.revoked) == (link.pk, code, True)
        assert asked.fetch(link.code, NOW).code == link.code

    @pytest.mark.parametrize("days", [1, 3])
    def test_it_ends_with_its_link_or_by_itself_whatever_comes_first(
        self, asked: Any, days: int
    ) -> None:
        link = DirectLinkFactory(expires_at=NOW + timedelta(days=2))
        FormerCode.objects.create(code="former", link=link, until=NOW + timedelta(days=days))
        assert asked.fetch("former", NOW).expires_at == NOW + timedelta(days=min(days, 2))
        assert asked.fetch(link.code, NOW).expires_at == NOW + timedelta(days=2)

    def test_what_is_not_there_is_not_found(self, asked: Any) -> None:
        assert asked.fetch("abcdefgh", NOW) is None
        assert asked.fetch_by_key(0) is None
        assert asked.count(0, NOW, DAY) is False

    def test_days_are_counted_each_for_itself(self, asked: Any) -> None:
        link = DirectLinkFactory()
        tomorrow = DAY + timedelta(days=1)
        for day in (DAY, tomorrow, DAY, tomorrow, tomorrow):
            assert asked.count(link.pk, NOW, day)
        assert counts(link) == (5, NOW, [(DAY, 2), (tomorrow, 3)])

    def test_a_download_can_be_given_back(self, asked: Any) -> None:
        link = DirectLinkFactory(max_downloads=2)
        assert asked.count(link.pk, NOW, DAY)
        assert asked.count(link.pk, NOW, DAY)
        asked.release(link.pk, DAY)
        assert counts(link)[::2] == (1, [(DAY, 1)])
        for _ in range(3):
            asked.release(link.pk, DAY)
        assert counts(link)[::2] == (0, [(DAY, 0)])


def test_somebody_elses_first_of_the_day_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    link, asked = DirectLinkFactory(), plain()
    link.days.create(day=DAY, downloads=1)
    update = QuerySet.update
    missed: list[Any] = []

    def late(days: Any, **values: Any) -> int:
        """The first look is from before the row was there."""
        if not missed:
            missed.append(values)
            return 0
        return update(days, **values)

    monkeypatch.setattr(QuerySet, "update", late)
    asked._count_day(link.pk, DAY)
    assert [day.downloads for day in link.days.all()] == [2]


@override_settings(USE_TZ=False)
def test_a_site_without_time_zones_has_naive_moments() -> None:
    naive = NOW.replace(tzinfo=None)
    link = DirectLinkFactory(expires_at=naive + timedelta(hours=1), max_downloads=2)
    row = get_link_queries().fetch(link.code, naive)
    assert row == plain().fetch(link.code, naive)
    assert get_link_queries().count(link.pk, naive, DAY)


class TestChoice:
    def test_a_database_that_we_wrote_nothing_for_is_asked_through_the_orm(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "vendor", "oracle")
        assert isinstance(get_link_queries(), ORMLinkQueries)

    def test_an_sqlite_without_returning_uses_the_orm(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "vendor", "sqlite")
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
        assert isinstance(get_link_queries(), ORMLinkQueries)

    def test_users_whose_flags_are_properties_need_the_orm(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql, "_lacks_column", lambda: True)
        assert isinstance(get_link_queries(), ORMLinkQueries)

    def test_a_replica_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(router, "db_for_read", lambda *args, **kwargs: 1 / 0)
        link = DirectLinkFactory()
        assert get_link_queries().fetch(link.code, NOW) is not None


def test_a_user_model_without_is_active_has_no_column() -> None:
    assert active_column(type(UserFactory())) == "is_active"
    assert active_column(type(FileFactory())) is None


def test_a_moment_of_another_time_zone_is_the_same_datetime() -> None:
    link = DirectLinkFactory()
    elsewhere = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    assert get_link_queries().count(link.pk, elsewhere, DAY)
    assert counts(link) == (1, NOW, [(DAY, 1)])


def test_a_moment_may_come_as_text() -> None:
    """Some builds of SQLite do not say what a column holds."""
    links: Any = get_link_queries()
    assert links._datetime(str(NOW.replace(tzinfo=None))) == NOW


@given(limits)
def test_all_forms_of_the_rule_agree(chosen: dict[str, Any]) -> None:
    """Python's judgement of a link and of a row, the conditions of the ORM, and the statements."""
    link = DirectLinkFactory(**chosen)
    row: Any = get_link_queries().fetch(link.code, NOW)
    state = link.state(NOW)
    found = [one for one in LinkState if DirectLink.objects.in_state(one, NOW).filter(pk=link.pk)]
    assert found == [state]
    assert row.state(NOW) is state
    this = DirectLink.objects.filter(pk=link.pk)
    assert list(LinkState)[this.with_state(NOW).get().state_place] is state
    opens = state is LinkState.ACTIVE
    assert this.opening(NOW).exists() is opens
    assert get_link_queries().count(link.pk, NOW, DAY) is opens


def test_a_row_and_a_claimed_link_have_the_columns_of_all_limits() -> None:
    assert {limit.name for limit in LIMITS} <= set(LinkRow._fields)
    names = ClaimedLink._fields
    between = names[names.index("name") + 1 : names.index("content")]
    assert between == tuple(limit.name for limit in REACHED)
    assert between[0] == "expires_at"
