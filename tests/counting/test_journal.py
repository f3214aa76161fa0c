"""Counting in files, where files cannot be had or read."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from directlinks.counting import background, segments
from directlinks.counting.database import DatabaseCounter
from directlinks.counting.journal import JournalCounter
from directlinks.counting.segments import RECORD, records_in, segments_in
from directlinks.models import DirectLink, FoldedBatch
from tests.counting.dying import forked
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

NewJournal = Callable[[], JournalCounter]


@pytest.fixture(autouse=True)
def _nobody_folds_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SECONDS", 3600.0)


def count(counter: JournalCounter, link: DirectLink, times: int = 1) -> None:
    for _ in range(times):
        assert counter.count(link.pk, timezone.now())


def downloads(link: DirectLink) -> int:
    link.refresh_from_db()
    return link.downloads


def noted(counter: JournalCounter) -> list[int]:
    """How many downloads are in each file."""
    return sorted(map(records_in, segments_in(counter.directory)))


@contextmanager
def full_disk(size: int = 0) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The links that are counted in the database, which has no disk to be full in this test."""
    counted: list[int] = []

    def note(counter: object, link: int, now: object) -> bool:
        counted.append(link)
        return True

    monkeypatch.setattr(DatabaseCounter, "count", note)
    return counted


def test_a_download_is_in_a_file_before_it_is_in_the_database(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 2)
    assert (downloads(link), counter.waiting()) == (0, 2)
    assert noted(counter) == [2]
    assert counter.fold() == 2
    assert (downloads(link), counter.waiting()) == (2, 0)
    assert segments_in(counter.directory) == []


def test_what_is_gone_is_not_remembered(journal: NewJournal) -> None:
    counter = journal()
    count(counter, DirectLinkFactory())
    counter.fold()
    assert not FoldedBatch.objects.exists()


def test_nothing_counted_is_nothing_to_fold(
    journal: NewJournal, django_assert_num_queries: Callable[..., object]
) -> None:
    counter = journal()
    counter.fold()
    count(counter, DirectLinkFactory())
    counter.fold()
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        assert counter.fold() == 0


def test_living_writers_keep_their_segments(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    assert journal().fold() == 0
    count(counter, link)
    assert counter.fold() == 2


@pytest.mark.parametrize("size", [0, 1, RECORD.size * 2, segments.ROOM * RECORD.size - 1])
def test_a_full_disk_loses_nothing(size: int, journal: NewJournal, in_memory: list[int]) -> None:
    """However little is left of the room for a file: none is left behind half-made."""
    counter, link = journal(), DirectLinkFactory()
    with full_disk(size):
        count(counter, link, 5)
    assert in_memory == [link.pk] * 5
    assert segments_in(counter.directory) == []


def test_a_disk_that_becomes_full_has_room_for_what_was_promised(
    journal: NewJournal, in_memory: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "ROOM", 4)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    with full_disk():
        count(counter, link, 5)
    assert in_memory == [link.pk] * 2
    assert counter.fold() == downloads(link) == 4


@pytest.mark.parametrize("how", ["posix_fallocate", "pwrite"])
def test_the_disk_is_tried_again(
    how: str, journal: NewJournal, in_memory: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "pwrite":
        monkeypatch.delattr(os, "posix_fallocate")
    counter, link = journal(), DirectLinkFactory()
    with full_disk(RECORD.size):
        count(counter, link)
    count(counter, link)
    assert in_memory == [link.pk] * 2  # it rests for a while
    counter._breaker.succeeded()
    count(counter, link, 2)
    assert counter.fold() == 2
    assert in_memory == [link.pk] * 2


@pytest.mark.parametrize("what", ["posix_fallocate", "mmap"])
def test_a_file_system_that_cannot_do_it_is_left_for_the_database(
    what: str, journal: NewJournal, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os if what == "posix_fallocate" else segments, what, refuse)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 3)
    assert downloads(link) == 3
    assert segments_in(counter.directory) == []
    assert "The counter 'journal' is left for the database" in caplog.text


def test_a_full_segment_is_followed_by_a_new_one(
    journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "ROOM", 3)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 8)
    assert noted(counter) == [2, 3, 3]
    assert counter.waiting() == 8
    # Nobody writes to the full ones any more, so anybody may add them.
    assert journal().fold() == downloads(link) == 6
    assert counter.fold() == 2
    assert downloads(link) == 8


def test_full_segments_are_not_kept_open(
    journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There would be hundreds of them after hours without a database."""
    monkeypatch.setattr(segments, "ROOM", 1)
    counter, link = journal(), DirectLinkFactory()
    before = len(list(Path("/proc/self/fd").iterdir()))
    count(counter, link, 20)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert counter.fold() == 20


@pytest.mark.parametrize("directory", ["missing", "file"])
def test_without_a_directory_downloads_are_counted_at_once(
    directory: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    link = DirectLinkFactory()
    counter = JournalCounter(tmp_path / directory)
    count(counter, link, 3)
    counter.close()
    assert downloads(link) == 3
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "The counter 'journal' is left for the database" in record.getMessage()


def test_a_link_that_was_closed_is_not_opened_by_a_broken_journal(tmp_path: Path) -> None:
    counter = JournalCounter(tmp_path / "missing")
    link = DirectLinkFactory(paused=True)
    assert not counter.count(link.pk, timezone.now())
    counter.close()


def test_a_database_that_is_away_gets_it_all_when_it_is_back(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()

    def is_away(*statement: object) -> None:
        raise OperationalError

    for _ in range(3):
        count(counter, link)
        with connection.execute_wrapper(is_away), pytest.raises(OperationalError):
            counter.fold()
    # It begins no new file for each second that the database is away.
    assert len(segments_in(counter.directory)) == 2
    assert counter.fold() == downloads(link) == 3


def test_what_one_left_who_died_waits_for_the_database_too(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    counter.close()

    def is_away(*statement: object) -> None:
        raise OperationalError

    other = journal()
    with connection.execute_wrapper(is_away), pytest.raises(OperationalError):
        other.fold()
    assert journal().fold() == downloads(link) == 1


def test_a_segment_that_cannot_be_read_does_not_keep_others_waiting(
    journal: NewJournal, caplog: pytest.LogCaptureFixture
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    counter.close()
    (counter.directory / "0.counts").mkdir()
    assert journal().fold() == 1
    assert "0.counts wait" in caplog.text


@pytest.mark.parametrize("is_own", [True, False])
def test_a_segment_that_cannot_be_deleted_is_not_added_twice(
    is_own: bool, journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 2)
    if not is_own:
        counter.close()
        counter = journal()

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        for _ in range(2):
            try:
                counter.fold()
            except PermissionError:
                assert is_own
    assert counter.fold() == 0
    assert downloads(link) == 2
    assert segments_in(counter.directory) == []


def test_two_ends_are_as_good_as_one(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    counter.close()
    counter.close()
    count(counter, link)
    counter.close()
    assert journal().fold() == 2


def test_its_directory_is_checked(tmp_path: Path) -> None:
    assert JournalCounter(tmp_path).check() == []
    (fault,) = JournalCounter(tmp_path / "missing").check()
    assert fault.id == "directlinks.E031"
    assert str(tmp_path / "missing") in fault.msg


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.usefixtures("unshared_connection")
def test_a_fork_begins_a_file_of_its_own(journal: NewJournal) -> None:
    """Its parent's may have its number in another's hands by then: that of a connection."""
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    process = forked(lambda: count(counter, link, 2))
    process.join()
    assert noted(counter) == [1, 2]
    assert counter.fold() == downloads(link) == 3


@pytest.mark.parametrize("how", [0, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.usefixtures("unshared_connection")
def test_what_one_noted_who_ended_is_added_once(how: int, journal: NewJournal) -> None:
    """However he ended: the kernel has it, although no system call ever wrote it."""
    link = DirectLinkFactory()

    def note_and_end() -> None:
        count(journal(), link, 3)
        os.kill(os.getpid(), how)

    process = forked(note_and_end)
    process.join()
    assert process.exitcode == -how
    counter = journal()
    assert (noted(counter), counter.waiting()) == ([3], 3)
    assert [counter.fold(), counter.fold(), journal().fold()] == [3, 0, 0]
    assert downloads(link) == 3
