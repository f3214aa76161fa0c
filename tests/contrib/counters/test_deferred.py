"""Adding a batch of downloads to the database: all of it, exactly once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directlinks.contrib.counters import deferred
from directlinks.contrib.counters.deferred import (
    LinkTotals,
    Totals,
    add_totals,
    flush_batch,
    forget_batch,
    forget_batches,
)
from directlinks.datetimes import as_stored, day_of, from_timestamp
from directlinks.models import DailyDownloads, DirectLink, File, FlushedBatch
from directlinks.sql import get_link_queries
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

NOON = as_stored(datetime(2026, 5, 4, 4, tzinfo=UTC))  # in Shanghai, where the tests live
SECONDS = int(NOON.timestamp())
DAY = date(2026, 5, 4)


def totals_of(*downloads: tuple[DirectLink, int]) -> Totals:
    """Downloads of links, each some seconds after noon."""
    totals = Totals()
    for link, after in downloads:
        totals.add(link.pk, SECONDS + after)
    return totals


def days_of(link: DirectLink) -> dict[date, int]:
    return dict(DailyDownloads.objects.filter(link=link).values_list("day", "downloads"))


def test_downloads_days_and_the_last_of_them_are_added() -> None:
    link, other = DirectLinkFactory(downloads=3), DirectLinkFactory()
    day = 24 * 3600
    totals = totals_of((link, 0), (link, 9), (link, 5), (link, day), (other, 1))

    assert flush_batch("a", totals) == 5

    link.refresh_from_db()
    other.refresh_from_db()
    assert (link.downloads, other.downloads) == (7, 1)
    assert link.last_opened_at == NOON + timedelta(days=1)
    assert days_of(link) == {DAY: 3, DAY + timedelta(days=1): 1}
    assert days_of(other) == {DAY: 1}


def test_what_was_counted_at_once_stays() -> None:
    link = DirectLinkFactory()
    later = NOON + timedelta(minutes=1)
    assert get_link_queries().count(link.pk, later, DAY)

    flush_batch("a", totals_of((link, 0), (link, 1)))

    link.refresh_from_db()
    assert (link.downloads, link.last_opened_at) == (3, later)
    assert days_of(link) == {DAY: 3}


def test_the_same_batch_is_added_once() -> None:
    link = DirectLinkFactory()
    totals = totals_of((link, 0), (link, 0))
    assert [flush_batch("a", totals), flush_batch("a", totals), flush_batch("b", totals)] == [
        2,
        0,
        2,
    ]
    assert days_of(link) == {DAY: 4}


def test_links_that_were_deleted_are_left_out() -> None:
    link, gone = DirectLinkFactory(), DirectLinkFactory()
    totals = totals_of((gone, 0), (link, 0))
    gone.delete()
    assert flush_batch("a", totals) == 1
    assert days_of(link) == {DAY: 1}


def test_nothing_at_all_may_be_a_batch() -> None:
    assert flush_batch("a", Totals()) == 0
    assert not FlushedBatch.objects.exists()


def test_days_of_others_stay_as_they_are() -> None:
    """Two links, each on a day of its own: neither's is the other's."""
    early, late = DirectLinkFactory(), DirectLinkFactory()
    day = 24 * 3600
    flush_batch("a", totals_of((early, 0), (early, day), (late, 0), (late, day)))
    flush_batch("b", totals_of((early, 0), (late, day)))
    tomorrow = DAY + timedelta(days=1)
    assert days_of(early) == {DAY: 2, tomorrow: 1}
    assert days_of(late) == {DAY: 1, tomorrow: 2}


@pytest.mark.parametrize("known", [False, True])
def test_the_number_of_statements_does_not_depend_on_the_links(
    known: bool, django_assert_max_num_queries: Any
) -> None:
    """A name, the links three times, their days twice, and what makes it a transaction."""
    file = FileFactory()
    links = [DirectLinkFactory(file=file, reuse_name=None, paused=True) for _ in range(30)]
    totals = totals_of(*((link, 0) for link in links))
    if known:
        flush_batch("before", totals)
    with django_assert_max_num_queries(10) as statements:
        assert flush_batch("a", totals) == 30
    few = len(statements)
    with django_assert_max_num_queries(few):
        flush_batch("b", totals_of((links[0], 0)))


def test_many_links_are_added_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "LINKS_AT_ONCE", 2)
    links = [DirectLinkFactory() for _ in range(5)]
    totals = totals_of(*((link, 0) for link in links))
    assert flush_batch("a", totals) == 5
    assert sorted(FlushedBatch.objects.values_list("name", flat=True)) == ["a/0", "a/1", "a/2"]
    # Who died between two parts left the others to do.
    FlushedBatch.objects.filter(name="a/1").delete()
    assert flush_batch("a", totals) == 2
    assert [sum(days_of(link).values()) for link in links] == [1, 1, 2, 2, 1]


def test_as_many_links_as_fit_into_one_statement() -> None:
    file = FileFactory()
    DirectLink.objects.bulk_create(
        DirectLink(file=file, name="a") for _ in range(deferred.LINKS_AT_ONCE + 1)
    )
    links = list(DirectLink.objects.all())
    assert flush_batch("a", totals_of(*((link, 0) for link in links))) == len(links)
    assert flush_batch("b", totals_of(*((link, 1) for link in links))) == len(links)
    assert set(DirectLink.objects.values_list("downloads", flat=True)) == {2}
    assert set(DailyDownloads.objects.values_list("downloads", flat=True)) == {2}


class TestForgetting:
    def test_a_batch_that_is_gone_is_forgotten(self) -> None:
        link = DirectLinkFactory()
        for name in ("a", "ab"):
            flush_batch(name, totals_of((link, 0)))
        forget_batch("a")
        assert list(FlushedBatch.objects.values_list("name", flat=True)) == ["ab/0"]

    def test_old_ones_of_a_kind_are_forgotten(self) -> None:
        now = timezone.now()
        for name, age in (("x/1/0", 3), ("x/2/0", 1), ("y/1/0", 3)):
            FlushedBatch.objects.create(name=name, flushed_at=now - timedelta(days=age))
        forget_batches("x", now - timedelta(days=2))
        left = FlushedBatch.objects.values_list("name", flat=True)
        assert sorted(left) == ["x/2/0", "y/1/0"]

    def test_who_is_still_met_is_remembered_for_longer(self) -> None:
        totals = totals_of((DirectLinkFactory(), 0))
        flush_batch("x/1", totals)
        now = timezone.now()
        FlushedBatch.objects.update(flushed_at=now - timedelta(days=3))
        assert flush_batch("x/1", totals) == 0
        forget_batches("x", now - timedelta(days=2))
        assert flush_batch("x/1", totals) == 0


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_may_be_rolled_back_is_no_place_to_flush() -> None:
    totals = totals_of((DirectLinkFactory(), 0))
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        flush_batch("a", totals)


def test_another_conflict_is_no_sign_of_a_batch_that_was_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as a row of a day that was inserted without having locked the link."""
    link = DirectLinkFactory()
    totals = totals_of((link, 0))
    flush_batch("before", totals)
    create = DailyDownloads(link=link, day=DAY, downloads=1)
    with monkeypatch.context() as patch:
        patch.setattr(deferred, "add_totals", lambda part: create.save(force_insert=True))
        with pytest.raises(IntegrityError):
            flush_batch("a", totals)
    assert flush_batch("a", totals) == 1
    assert days_of(link) == {DAY: 2}


class TestTotals:
    @given(
        downloads=st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 200_000), st.integers(1, 3)),
            max_size=30,
        )
    )
    def test_it_says_what_one_by_one_would(self, downloads: list[tuple[int, int, int]]) -> None:
        totals = Totals()
        for link, after, times in downloads:
            totals.add(link, SECONDS + after, times)
        by_link = {one.link_id: one for one in totals.by_link()}
        assert list(by_link) == sorted({link for link, _, _ in downloads})
        for link, one in by_link.items():
            mine = [(SECONDS + after, times) for other, after, times in downloads if other == link]
            assert one.downloads == sum(times for _, times in mine)
            assert one.last == from_timestamp(max(seconds for seconds, _ in mine))
            for day, number in one.days.items():
                on_day = [n for seconds, n in mine if day_of(from_timestamp(seconds)) == day]
                assert number == sum(on_day)


moments = st.sampled_from([NOON + timedelta(microseconds=n) for n in (-1_000_000, -1, 0, 1)])
some_days = st.sampled_from([DAY, DAY + timedelta(1), DAY - timedelta(400)])
numbers = st.integers(1, 3) | st.integers(1, 1 << 40)
# A link: its downloads, when it was opened last, those of its days, and whether it was deleted.
links = st.lists(
    st.tuples(
        st.integers(0, 1 << 40),
        st.none() | moments,
        st.dictionaries(some_days, numbers),
        st.booleans(),
    ),
    max_size=6,
)
# What is added to one: when it was opened last, and how often on which days.
additions = st.tuples(moments, st.dictionaries(some_days, numbers, min_size=1))


def make_link(file: File, downloads: int, opened_at: Any, days: Any) -> DirectLink:
    link = DirectLinkFactory(
        file=file, reuse_name=None, paused=True, downloads=downloads, last_opened_at=opened_at
    )
    for day, number in days.items():
        link.days.create(day=day, downloads=number)
    return link


class TestAddTotals:
    @settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
    @given(rows=links, data=st.data())
    def test_each_link_and_day_has_what_it_had_and_what_is_added(
        self, rows: Any, data: st.DataObject
    ) -> None:
        with transaction.atomic():
            file = FileFactory()
            made = [make_link(file, *row) for *row, _ in rows]
            keys = [link.pk for link in made]
            totals = [LinkTotals(key, *data.draw(additions)) for key in keys]
            for link, row in zip(made, rows, strict=True):
                if row[3]:
                    link.delete()
            there = add_totals(totals)
            assert there == {key for key, row in zip(keys, rows, strict=True) if not row[3]}
            for one, (downloads, opened_at, days, is_deleted) in zip(totals, rows, strict=True):
                if not is_deleted:
                    link = DirectLink.objects.get(pk=one.link_id)
                    assert link.downloads == downloads + one.downloads
                    assert link.last_opened_at == max(one.last, opened_at or one.last)
                    assert days_of(link) == {
                        day: days.get(day, 0) + one.days.get(day, 0) for day in {*days, *one.days}
                    }
            transaction.set_rollback(True)

    def test_links_with_the_same_numbers_share_a_statement(
        self, django_assert_max_num_queries: Any
    ) -> None:
        file = FileFactory()
        DirectLink.objects.bulk_create(DirectLink(file=file, name="a") for _ in range(900))
        keys = list(DirectLink.objects.order_by("pk").values_list("pk", flat=True))
        totals = [LinkTotals(key, NOON, {DAY: 1 + key % 3}) for key in keys]
        for _ in range(2):
            with django_assert_max_num_queries(9):
                assert add_totals(totals) == set(keys)

    @override_settings(USE_TZ=False)
    def test_a_site_without_time_zones_has_naive_moments(self) -> None:
        link = DirectLinkFactory()
        naive = NOON.replace(tzinfo=None)
        for moment in (naive, naive - timedelta(1)):
            add_totals([LinkTotals(link.pk, moment, {DAY: 1})])
        link.refresh_from_db()
        assert (link.downloads, link.last_opened_at, days_of(link)) == (2, naive, {DAY: 2})
