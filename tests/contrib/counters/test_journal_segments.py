"""Files of noted downloads: who may read them, and what is read."""

import fcntl
import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.contrib.counters import journal as segments
from directlinks.contrib.counters.journal import (
    RECORD,
    NewSegment,
    Segment,
    records_in,
    segments_in,
)
from tests.contrib.counters.dying import forked

SECONDS = 1_777_867_200


def totals(segment: Segment) -> dict[int, int]:
    return {one.link_id: one.downloads for one in segment.totals().by_link()}


def test_it_holds_what_was_appended(tmp_path: Path) -> None:
    segment = NewSegment.create(tmp_path)
    assert (totals(segment), records_in(segment.path)) == ({}, 0)
    for link in (1, 2, 1):
        assert segment.append(link, SECONDS)
    assert totals(segment) == {1: 2, 2: 1}
    assert records_in(segment.path) == segment.totals().downloads == 3
    segment.close()


def test_its_room_is_used_to_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "ROOM", 3)
    segment = NewSegment.create(tmp_path)
    assert [segment.append(7, SECONDS) for _ in range(3)] == [True, True, False]
    assert segment.path.stat().st_size == 3 * RECORD.size
    assert totals(segment) == {7: 3}
    segment.close()


def test_more_than_one_block(tmp_path: Path) -> None:
    (tmp_path / "a.counts").write_bytes(RECORD.pack(7, SECONDS) * 10_000 + b"torn")
    segment = Segment.take(tmp_path / "a.counts")
    assert segment is not None
    assert totals(segment) == {7: 10_000}
    segment.close()


@given(whole=st.integers(0, 3), torn=st.binary(max_size=RECORD.size - 1))
def test_a_record_that_was_cut_off_is_none(
    tmp_path_factory: pytest.TempPathFactory, whole: int, torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "a.counts"
    path.write_bytes(RECORD.pack(7, SECONDS) * whole + torn)
    segment = Segment.take(path)
    assert segment is not None
    assert sum(totals(segment).values()) == whole == records_in(path)
    segment.close()


@pytest.mark.parametrize(
    "record", [RECORD.pack(7, 0), RECORD.pack(0, SECONDS), RECORD.pack(-1, SECONDS)]
)
def test_a_record_that_was_half_written_is_none(tmp_path: Path, record: bytes) -> None:
    """Whoever is killed while he writes has written the link, or nothing."""
    path = tmp_path / "a.counts"
    path.write_bytes(RECORD.pack(7, SECONDS) + record + bytes(9000 * RECORD.size))
    segment = Segment.take(path)
    assert segment is not None
    assert totals(segment) == {7: 1}
    assert records_in(path) == 1
    segment.close()


def test_the_seconds_are_written_after_the_link_and_at_once() -> None:
    """In the order of the format, each by eight aligned bytes of this machine's own order."""
    assert RECORD.format == "qq"
    assert RECORD.size == 16
    assert RECORD.pack(1, 2) == b"".join(n.to_bytes(8, sys.byteorder) for n in (1, 2))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unshared_connection")
def test_a_forked_child_cannot_write_into_that_of_its_parent(tmp_path: Path) -> None:
    segment = NewSegment.create(tmp_path)
    segment.append(7, SECONDS)

    def write() -> None:
        with pytest.raises((TypeError, ValueError)):  # there is no memory to write to
            segment.append(8, SECONDS)

    child = forked(write)
    child.join()
    assert child.exitcode == 0
    segment.append(9, SECONDS)
    assert totals(segment) == {7: 1, 9: 1}
    segment.close()


@given(garbage=st.binary(max_size=5 * RECORD.size))
@pytest.mark.filterwarnings("error")
def test_what_a_loss_of_power_leaves_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    path = tmp_path_factory.mktemp("garbage") / "a.counts"
    path.write_bytes(bytes(RECORD.size) + garbage + RECORD.pack(7, 1 << 62))
    segment = Segment.take(path)
    assert segment is not None
    assert 0 not in totals(segment)
    segment.close()


def test_nobody_takes_that_of_a_living_writer(tmp_path: Path) -> None:
    segment = NewSegment.create(tmp_path)
    assert Segment.take(segment.path) is None
    segment.close()
    taken = Segment.take(segment.path)
    assert taken is not None
    assert Segment.take(segment.path) is None
    taken.remove()
    assert segments_in(tmp_path) == []
    assert Segment.take(segment.path) is None
    assert records_in(segment.path) == 0


def test_one_that_was_removed_while_it_was_opened_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.counts"
    path.touch()
    lock = fcntl.flock

    def lock_late(descriptor: int, operation: int) -> None:
        path.unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    assert Segment.take(path) is None


@pytest.mark.parametrize("is_still_there", [True, False])
def test_a_new_one_that_was_taken_for_a_dead_ones_is_not_written_to(
    is_still_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between being made and being locked it looks as if its writer had died."""
    lock, taken = fcntl.flock, list[Segment]()

    def lock_late(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        (path,) = segments_in(tmp_path)
        other = Segment.take(path)
        assert other is not None
        if is_still_there:
            taken.append(other)
        else:
            other.remove()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    segment = NewSegment.create(tmp_path)
    assert segment.path not in [other.path for other in taken]
    assert segment.path.exists()
    for each in (segment, *taken):
        each.close()


def test_what_is_made_and_written_under_the_eyes_of_a_thief_is_all_read(tmp_path: Path) -> None:
    ended, stolen = threading.Event(), list[int]()

    def steal() -> None:
        while not ended.is_set():
            for segment in filter(None, map(Segment.take, segments_in(tmp_path))):
                stolen.append(sum(totals(segment).values()))
                segment.remove()

    thief = threading.Thread(target=steal)
    thief.start()
    for _ in range(300):
        segment = NewSegment.create(tmp_path)
        segment.append(1, SECONDS)
        segment.close()
    ended.set()
    thief.join()
    assert sum(stolen) + sum(map(records_in, segments_in(tmp_path))) == 300


def test_where_there_can_be_none_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        NewSegment.create(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        segments_in(tmp_path / "nowhere")


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    assert segments_in(tmp_path) == []


def test_only_its_own_user_can_read_it(tmp_path: Path) -> None:
    segment = NewSegment.create(tmp_path)
    assert os.fstat(segment.descriptor).st_mode & 0o777 == 0o600
    segment.close()
