"""Adding a batch of downloads to the database: all of it, once, whatever it meets there."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from directlinks.counting import folding
from directlinks.counting.folding import fold_batch, forget_batch, forget_batches
from directlinks.counting.tally import Tally
from directlinks.datetimes import as_stored, day_of, moment_of
from directlinks.models import DailyDownloads, DirectLink, FoldedBatch
from directlinks.sql.choice import folds_of, links_of
from tests.factories import DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

NOON = as_stored(datetime(2026, 5, 4, 4, tzinfo=UTC))  # in Shanghai, where the tests live
SECONDS = int(NOON.timestamp())
DAY = date(2026, 5, 4)


def tally_of(*downloads: tuple[DirectLink, int]) -> Tally:
    """Downloads of links, so many seconds after noon."""
    tally = Tally()
    for link, after in downloads:
        tally.add(link.pk, SECONDS + after)
    return tally


def days_of(link: DirectLink) -> dict[date, int]:
    return dict(DailyDownloads.objects.filter(link=link).values_list("day", "downloads"))


def test_downloads_days_and_the_last_of_them_are_added() -> None:
    link, other = DirectLinkFactory(downloads=3), DirectLinkFactory()
    day = 24 * 3600
    tally = tally_of((link, 0), (link, 9), (link, 5), (link, day), (other, 1))

    assert fold_batch("a", tally) == 5

    link.refresh_from_db()
    other.refresh_from_db()
    assert (link.downloads, other.downloads) == (7, 1)
    assert link.last_opened_at == NOON + timedelta(days=1)
    assert days_of(link) == {DAY: 3, DAY + timedelta(days=1): 1}
    assert days_of(other) == {DAY: 1}


def test_what_was_counted_at_once_stays() -> None:
    link = DirectLinkFactory()
    later = NOON + timedelta(minutes=1)
    assert links_of(DirectLink).count(link.pk, later, DAY)

    fold_batch("a", tally_of((link, 0), (link, 1)))

    link.refresh_from_db()
    assert (link.downloads, link.last_opened_at) == (3, later)
    assert days_of(link) == {DAY: 3}


def test_the_same_batch_is_added_once() -> None:
    link = DirectLinkFactory()
    tally = tally_of((link, 0), (link, 0))
    assert [fold_batch("a", tally), fold_batch("a", tally), fold_batch("b", tally)] == [2, 0, 2]
    assert days_of(link) == {DAY: 4}


def test_links_that_were_deleted_are_left_out() -> None:
    link, gone = DirectLinkFactory(), DirectLinkFactory()
    tally = tally_of((gone, 0), (link, 0))
    gone.delete()
    assert fold_batch("a", tally) == 1
    assert days_of(link) == {DAY: 1}


def test_nothing_at_all_may_be_a_batch() -> None:
    assert fold_batch("a", Tally()) == 0
    assert not FoldedBatch.objects.exists()


def test_days_of_others_stay_as_they_are() -> None:
    """Two links, each on a day of its own: neither's is the other's."""
    early, late = DirectLinkFactory(), DirectLinkFactory()
    day = 24 * 3600
    fold_batch("a", tally_of((early, 0), (early, day), (late, 0), (late, day)))
    fold_batch("b", tally_of((early, 0), (late, day)))
    tomorrow = DAY + timedelta(days=1)
    assert days_of(early) == {DAY: 2, tomorrow: 1}
    assert days_of(late) == {DAY: 1, tomorrow: 2}


@pytest.mark.parametrize("known", [False, True])
def test_the_number_of_statements_does_not_depend_on_the_links(
    known: bool, django_assert_max_num_queries: Any
) -> None:
    """A name, the links twice, their days once, and what makes it a transaction."""
    file = FileFactory()
    links = [DirectLinkFactory(file=file, reuse_name=None, paused=True) for _ in range(30)]
    tally = tally_of(*((link, 0) for link in links))
    if known:
        fold_batch("before", tally)
    with django_assert_max_num_queries(8) as statements:
        assert fold_batch("a", tally) == 30
    few = len(statements)
    with django_assert_max_num_queries(few):
        fold_batch("b", tally_of((links[0], 0)))


def test_many_links_are_added_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "LINKS_AT_ONCE", 2)
    links = [DirectLinkFactory() for _ in range(5)]
    tally = tally_of(*((link, 0) for link in links))
    assert fold_batch("a", tally) == 5
    assert sorted(FoldedBatch.objects.values_list("name", flat=True)) == ["a/0", "a/1", "a/2"]
    # Who died between two parts left the others to do.
    FoldedBatch.objects.filter(name="a/1").delete()
    assert fold_batch("a", tally) == 2
    assert [sum(days_of(link).values()) for link in links] == [1, 1, 2, 2, 1]


def test_as_many_links_as_fit_into_one_statement() -> None:
    file = FileFactory()
    DirectLink.objects.bulk_create(
        DirectLink(file=file, name="a") for _ in range(folding.LINKS_AT_ONCE + 1)
    )
    links = list(DirectLink.objects.all())
    assert fold_batch("a", tally_of(*((link, 0) for link in links))) == len(links)
    assert fold_batch("b", tally_of(*((link, 1) for link in links))) == len(links)
    assert set(DirectLink.objects.values_list("downloads", flat=True)) == {2}
    assert set(DailyDownloads.objects.values_list("downloads", flat=True)) == {2}


class TestForgetting:
    def test_a_batch_that_is_gone_is_forgotten(self) -> None:
        link = DirectLinkFactory()
        for name in ("a", "ab"):
            fold_batch(name, tally_of((link, 0)))
        forget_batch("a")
        assert list(FoldedBatch.objects.values_list("name", flat=True)) == ["ab/0"]

    def test_old_ones_of_a_kind_are_forgotten(self) -> None:
        now = timezone.now()
        for name, age in (("x/1/0", 3), ("x/2/0", 1), ("y/1/0", 3)):
            FoldedBatch.objects.create(name=name, folded_at=now - timedelta(days=age))
        forget_batches("x", now - timedelta(days=2))
        left = FoldedBatch.objects.values_list("name", flat=True)
        assert sorted(left) == ["x/2/0", "y/1/0"]

    def test_who_is_still_met_is_remembered_for_longer(self) -> None:
        tally = tally_of((DirectLinkFactory(), 0))
        fold_batch("x/1", tally)
        now = timezone.now()
        FoldedBatch.objects.update(folded_at=now - timedelta(days=3))
        assert fold_batch("x/1", tally) == 0
        forget_batches("x", now - timedelta(days=2))
        assert fold_batch("x/1", tally) == 0


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_may_be_rolled_back_is_no_place_to_fold() -> None:
    tally = tally_of((DirectLinkFactory(), 0))
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        fold_batch("a", tally)


def test_another_conflict_is_no_sign_of_a_batch_that_was_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as a row of a day that somebody made without having locked the link."""
    link = DirectLinkFactory()
    tally = tally_of((link, 0))
    fold_batch("before", tally)
    create = DailyDownloads(link=link, day=DAY, downloads=1)
    with monkeypatch.context() as patch:
        folds = type(folds_of(DirectLink))
        patch.setattr(folds, "add", lambda *args: create.save(force_insert=True))
        with pytest.raises(IntegrityError):
            fold_batch("a", tally)
    assert fold_batch("a", tally) == 1
    assert days_of(link) == {DAY: 2}


class TestTally:
    @given(
        downloads=st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 200_000), st.integers(1, 3)),
            max_size=30,
        )
    )
    def test_it_says_what_one_by_one_would(self, downloads: list[tuple[int, int, int]]) -> None:
        tally = Tally()
        for link, after, times in downloads:
            tally.add(link, SECONDS + after, times)
        by_link = {collected.link: collected for collected in tally.by_link()}
        assert list(by_link) == sorted({link for link, _, _ in downloads})
        for link, collected in by_link.items():
            mine = [(SECONDS + after, times) for other, after, times in downloads if other == link]
            assert collected.times == sum(times for _, times in mine)
            assert collected.latest == moment_of(max(seconds for seconds, _ in mine))
            for day, number in collected.days.items():
                on_day = [n for seconds, n in mine if day_of(moment_of(seconds)) == day]
                assert number == sum(on_day)
