"""The written statements that add downloads and the plain ones: the same on whatever is there."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directlinks.datetimes import as_stored
from directlinks.models import DailyDownloads, DirectLink
from directlinks.sql import plain_folds
from directlinks.sql.choice import folds_of
from directlinks.sql.folds import Collected, Folds, WrittenFolds
from directlinks.sql.plain_folds import PlainFolds
from tests.factories import DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
DAY = date(2026, 5, 4)

moments = st.sampled_from([NOW + timedelta(microseconds=n) for n in (-1_000_000, -1, 0, 1)])
some_days = st.sampled_from([DAY, DAY + timedelta(1), DAY - timedelta(400)])
times = st.integers(1, 1 << 40)
# A link: its downloads, when it was opened last, those of its days, and whether it was deleted.
links = st.lists(
    st.tuples(
        st.integers(0, 1 << 40),
        st.none() | moments,
        st.dictionaries(some_days, times),
        st.booleans(),
    ),
    max_size=6,
)
# What was collected for one: when the latest was, and how many there were on which days.
news = st.tuples(moments, st.dictionaries(some_days, times, min_size=1))

every_time = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def both() -> tuple[Folds, Folds]:
    written = folds_of(DirectLink)
    assert isinstance(written, WrittenFolds)
    return written, PlainFolds(DirectLink, "default")


def fill(rows: Any) -> list[int]:
    """Make what ``links`` describes, and return their keys: of those that were deleted, too."""
    keys = []
    file = FileFactory()
    for downloads, opened_at, downloads_of, is_deleted in rows:
        link = DirectLinkFactory(
            file=file, reuse_name=None, paused=True, downloads=downloads, last_opened_at=opened_at
        )
        for day, times in downloads_of.items():
            link.days.create(day=day, downloads=times)
        keys.append(link.pk)
        if is_deleted:
            link.delete()
    return keys


def counts() -> tuple[list[Any], list[Any]]:
    """All that is counted, of all links and of all their days."""
    days = DailyDownloads.objects.order_by("link", "day").values_list("link", "day", "downloads")
    links = DirectLink.objects.order_by("pk").values_list("pk", "downloads", "last_opened_at")
    return list(links), list(days)


@every_time
@given(rows=links, data=st.data())
def test_they_add_the_same(rows: Any, data: st.DataObject) -> None:
    with undone():
        keys = [key for key in fill(rows) if data.draw(st.booleans())]
        collected = [Collected(key, *data.draw(news)) for key in keys]
        outcomes = []
        for folds in both():
            with undone():
                outcomes.append((folds.add(collected), counts()))
        assert outcomes[0] == outcomes[1]


@every_time
@given(rows=links, data=st.data())
def test_what_is_added_is_what_was_collected(rows: Any, data: st.DataObject) -> None:
    with undone():
        keys = fill(rows)
        collected = [Collected(key, *data.draw(news)) for key in keys]
        there = folds_of(DirectLink).add(collected)
        assert there == {key for key, row in zip(keys, rows, strict=True) if not row[3]}
        for one, (downloads, opened_at, days, is_deleted) in zip(collected, rows, strict=True):
            if not is_deleted:
                link = DirectLink.objects.get(pk=one.link)
                assert link.downloads == downloads + one.times
                assert link.last_opened_at == max(one.latest, opened_at or one.latest)
                assert dict(link.days.values_list("day", "downloads")) == {
                    day: days.get(day, 0) + one.days.get(day, 0) for day in {*days, *one.days}
                }


def test_nothing_collected_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert folds_of(DirectLink).add([]) == set()


def test_nothing_is_added_to_links_that_are_not_there(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert folds_of(DirectLink).add([Collected(1, NOW, {DAY: 1})]) == set()


def test_thousands_are_added_by_three_statements(django_assert_num_queries: Any) -> None:
    file = FileFactory()
    DirectLink.objects.bulk_create(DirectLink(file=file, name="a") for _ in range(3000))
    keys = list(DirectLink.objects.order_by("pk").values_list("pk", flat=True))
    collected = [Collected(key, NOW, {DAY: 1, DAY + timedelta(1): 2}) for key in keys]
    for _ in range(2):
        with django_assert_num_queries(3):
            assert folds_of(DirectLink).add(collected) == set(keys)
    assert counts() == (
        [(key, 6, NOW) for key in keys],
        [(key, DAY + timedelta(n), 2 * n + 2) for key in keys for n in (0, 1)],
    )


def test_the_orm_adds_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_folds, "AT_ONCE", 2)
    keys = sorted(DirectLinkFactory().pk for _ in range(5))
    folds = PlainFolds(DirectLink, "default")
    assert folds.add([Collected(key, NOW, {DAY: 1}) for key in keys]) == set(keys)
    assert counts()[0] == [(key, 1, NOW) for key in keys]


@override_settings(USE_TZ=False)
def test_a_site_without_time_zones_has_naive_moments() -> None:
    link = DirectLinkFactory()
    naive = NOW.replace(tzinfo=None)
    for moment in (naive, naive - timedelta(1)):
        folds_of(DirectLink).add([Collected(link.pk, moment, {DAY: 1})])
    assert counts() == ([(link.pk, 2, naive)], [(link.pk, DAY, 2)])


@pytest.mark.parametrize(
    ("vendor", "version"), [("sqlite", (3, 37, 2)), ("mysql", (10, 5, 9)), ("oracle", ())]
)
def test_a_database_without_the_means_is_asked_plainly(
    monkeypatch: pytest.MonkeyPatch, vendor: str, version: tuple[int, ...]
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setattr(connection, "mysql_is_mariadb", True, raising=False)
    monkeypatch.setattr(connection, "mysql_version", version, raising=False)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert isinstance(folds_of(DirectLink), PlainFolds)
