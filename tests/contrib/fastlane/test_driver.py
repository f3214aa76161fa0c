"""The fast lane's own way to the database: what goes by the driver, and what by Django's cursor."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from directlinks.contrib.fastlane.driver import get_driver_link_queries
from tests.factories import DirectLinkFactory
from tests.sql.test_links import DAY, NOW, claimed_link, counts, plain


@contextmanager
def cursors_made() -> Iterator[list[Any]]:
    """Yield a list that grows by each cursor of Django's that the connection makes meanwhile."""
    made: list[Any] = []
    ours = connections[connection.alias]
    original = ours.make_cursor

    def make_cursor(cursor: Any) -> Any:
        made.append(cursor)
        return original(cursor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "make_cursor", make_cursor)
        yield made


@pytest.mark.django_db(transaction=True)
def test_statements_that_are_captured_go_by_djangos_cursor() -> None:
    link = DirectLinkFactory()
    with cursors_made() as cursors:
        get_driver_link_queries().fetch(link.code, NOW)
        assert cursors == []
        with CaptureQueriesContext(connection) as queries:
            get_driver_link_queries().fetch(link.code, NOW)
    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_looked_after_as_django_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    link, ours, looks = DirectLinkFactory(), connections[connection.alias], []
    monkeypatch.setattr(ours, "close_if_health_check_failed", lambda: looks.append(ours))
    get_driver_link_queries().fetch(link.code, NOW)
    assert looks == [ours]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["a class of its own", "a cursor of its own"])
def test_a_backend_that_is_not_djangos_own_makes_its_cursors(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, ours = DirectLinkFactory(), connections[connection.alias]
    if how == "a class of its own":
        monkeypatch.setattr(type(ours), "__module__", "tenants.postgresql_backend")
    else:
        monkeypatch.setattr(ours, "cursor", ours.cursor)
    with cursors_made() as cursors:
        get_driver_link_queries().fetch(link.code, NOW)
    assert len(cursors) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "mysql", reason="It has no UPDATE that returns rows.")
class TestDriver:
    """Outside of any transaction, with no wrapper."""

    @pytest.fixture(
        autouse=True, params=[False, True] if connection.vendor == "postgresql" else [False]
    )
    def _by_the_server_or_not(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        """Where parameters are bound decides in which form results come."""
        ours = connections[connection.alias]
        if request.param:
            monkeypatch.setitem(ours.settings_dict["OPTIONS"], "server_side_binding", True)
            monkeypatch.setattr(ours.features, "uses_server_side_binding", True)
        ours.close()
        yield
        ours.close()

    def test_the_same_is_counted(self) -> None:
        link = DirectLinkFactory(expires_at=NOW + timedelta(hours=1), max_downloads=2)
        expected = claimed_link(link)
        connections[connection.alias].close()  # it is opened again where it has to be
        with cursors_made() as cursors:
            assert get_driver_link_queries().claim(link.code, link.name, NOW, DAY) == expected
        assert cursors == []
        assert counts(link) == (1, NOW, [(DAY, 1)])

    @override_settings(USE_TZ=False)
    def test_a_site_without_time_zones_has_naive_moments(self) -> None:
        naive = NOW.replace(tzinfo=None)
        link = DirectLinkFactory(expires_at=naive + timedelta(hours=1))
        claimed = get_driver_link_queries().claim(link.code, link.name, naive, DAY)
        assert claimed is not None
        row = plain().fetch(link.code, naive)
        assert row is not None
        assert (claimed.expires_at, claimed.modified_at) == (row.expires_at, row.modified_at)

    def test_a_miss_leaves_no_transaction_open(self) -> None:
        assert get_driver_link_queries().claim("abcdefgh", "a.txt", NOW, DAY) is None
        with connection.cursor() as cursor:  # which refuses to begin a second one
            cursor.execute("BEGIN")
            cursor.execute("ROLLBACK")

    def test_a_failure_counts_nothing_and_is_one_of_djangos(self) -> None:
        link, asked = DirectLinkFactory(), get_driver_link_queries()
        is_postgresql = connection.vendor == "postgresql"
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE directlinks_dailydownloads RENAME TO away")
        try:
            with pytest.raises(ProgrammingError if is_postgresql else OperationalError) as caught:
                asked.claim(link.code, link.name, NOW, DAY)
            assert type(caught.value).__module__ == "django.db.utils"
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE away RENAME TO directlinks_dailydownloads")
        assert counts(link)[0] == 0


class Refusing:
    """SQLite's own connection, which cannot write what is to be committed."""

    def __init__(self, raw: Any, *, rolls_back: bool) -> None:
        self.raw = raw
        self.rolls_back = rolls_back

    @property
    def in_transaction(self) -> bool:
        return bool(self.raw.in_transaction)

    def execute(self, text: str, *parameters: Any) -> Any:
        if text != "COMMIT":
            return self.raw.execute(text, *parameters)
        if self.rolls_back:
            self.raw.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="Only there the lane begins transactions."
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rolls_back", [False, True])
def test_a_commit_that_fails_leaves_no_transaction_behind(
    rolls_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = DirectLinkFactory()
    raw = connection.connection
    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "connection", Refusing(raw, rolls_back=rolls_back))
        with pytest.raises(OperationalError, match="disk I/O error"):
            get_driver_link_queries().claim(link.code, link.name, NOW, DAY)
    assert not raw.in_transaction
    assert counts(link) == (0, None, [])
