"""Counting in files, where files cannot be had or read."""

import errno
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from directlinks.contrib.counters import deferred
from directlinks.contrib.counters import journal as journals
from directlinks.contrib.counters.journal import (
    RECORD,
    JournalCounter,
    _at_exit,
    records_in,
    segments_in,
)
from directlinks.counters.database import DatabaseCounter
from directlinks.models import DirectLink, FlushedBatch
from tests.contrib.counters.dying import forked
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

NewJournal = Callable[[], JournalCounter]


@pytest.fixture(autouse=True)
def _flush_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 3600.0)


def count(counter: JournalCounter, link: DirectLink, times: int = 1) -> None:
    for _ in range(times):
        assert counter.count(link.pk, timezone.now())


def downloads(link: DirectLink) -> int:
    link.refresh_from_db()
    return link.downloads


def noted(counter: JournalCounter) -> list[int]:
    """How many downloads are in each file."""
    return sorted(map(records_in, segments_in(counter.directory)))


def refuse_statement(*statement: object) -> None:
    raise OperationalError


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
    assert (downloads(link), counter.pending()) == (0, 2)
    assert noted(counter) == [2]
    assert counter.flush() == 2
    assert (downloads(link), counter.pending()) == (2, 0)
    assert segments_in(counter.directory) == []


def test_what_is_gone_is_not_remembered(journal: NewJournal) -> None:
    counter = journal()
    count(counter, DirectLinkFactory())
    counter.flush()
    assert not FlushedBatch.objects.exists()


def test_nothing_counted_is_nothing_to_fold(
    journal: NewJournal, django_assert_num_queries: Callable[..., object]
) -> None:
    counter = journal()
    counter.flush()
    count(counter, DirectLinkFactory())
    counter.flush()
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        assert counter.flush() == 0


def test_living_writers_keep_their_segments(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    assert journal().flush() == 0
    count(counter, link)
    assert counter.flush() == 2


@pytest.mark.parametrize("size", [0, 1, RECORD.size * 2, journals.ROOM * RECORD.size - 1])
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
    monkeypatch.setattr(journals, "ROOM", 4)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    with full_disk():
        count(counter, link, 5)
    assert in_memory == [link.pk] * 2
    assert counter.flush() == downloads(link) == 4


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
    assert counter.flush() == 2
    assert in_memory == [link.pk] * 2


@pytest.mark.parametrize("what", ["posix_fallocate", "mmap"])
def test_a_file_system_that_cannot_do_it_is_left_for_the_database(
    what: str, journal: NewJournal, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os if what == "posix_fallocate" else journals, what, refuse)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 3)
    assert downloads(link) == 3
    assert segments_in(counter.directory) == []
    assert "The counter 'journal' is left for the database" in caplog.text


def test_a_full_segment_is_followed_by_a_new_one(
    journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "ROOM", 3)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 8)
    assert noted(counter) == [2, 3, 3]
    assert counter.pending() == 8
    # Nobody writes to the full ones any more, so anybody may add them.
    assert journal().flush() == downloads(link) == 6
    assert counter.flush() == 2
    assert downloads(link) == 8


def test_full_segments_are_not_kept_open(
    journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There would be hundreds of them after hours without a database."""
    monkeypatch.setattr(journals, "ROOM", 1)
    counter, link = journal(), DirectLinkFactory()
    before = len(list(Path("/proc/self/fd").iterdir()))
    count(counter, link, 20)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert counter.flush() == 20


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

    for _ in range(3):
        count(counter, link)
        with connection.execute_wrapper(refuse_statement), pytest.raises(OperationalError):
            counter.flush()
    # It begins no new file for each second that the database is away.
    assert len(segments_in(counter.directory)) == 2
    assert counter.flush() == downloads(link) == 3


def test_what_one_left_who_died_waits_for_the_database_too(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    counter.close()

    other = journal()
    with connection.execute_wrapper(refuse_statement), pytest.raises(OperationalError):
        other.flush()
    assert journal().flush() == downloads(link) == 1


def test_a_segment_that_cannot_be_read_does_not_keep_others_waiting(
    journal: NewJournal, caplog: pytest.LogCaptureFixture
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    counter.close()
    (counter.directory / "0.counts").mkdir()
    assert journal().flush() == 1
    assert "0.counts wait" in caplog.text


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def rename_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def replace_folder(folder: Path) -> None:
    rename_folder(folder)
    folder.mkdir()


def replace_folder_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def remove_files(folder: Path) -> None:
    for path in segments_in(folder):
        path.unlink()


def replace_files(folder: Path) -> None:
    for path in segments_in(folder):
        path.unlink()
        path.touch()


LOSSES = [
    remove_folder,
    rename_folder,
    replace_folder,
    replace_folder_by_a_file,
    remove_files,
    replace_files,
]

every_loss = pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)


def fold_with_or_without_folder(counter: JournalCounter) -> None:
    with suppress(OSError):
        counter.flush()


@every_loss
def test_files_that_are_removed_in_use_lose_nothing_that_was_noted(
    lose: Callable[[Path], None], journal: NewJournal, caplog: pytest.LogCaptureFixture
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 3)
    lose(counter.directory)
    count(counter, link, 2)
    fold_with_or_without_folder(counter)
    assert downloads(link) == 5
    assert "A file of the counter 'journal' was removed in use" in caplog.text
    caplog.clear()
    # From then on in the database, unless there is a folder again.
    count(counter, link, 4)
    if not counter.directory.is_dir():
        assert downloads(link) == 9
        assert "The counter 'journal' is left for the database" in caplog.text
    fold_with_or_without_folder(counter)
    assert downloads(link) == 9


@every_loss
def test_a_full_file_that_is_removed_loses_nothing(
    lose: Callable[[Path], None], journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "ROOM", 3)
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 2)
    lose(counter.directory)
    count(counter, link, 5)
    fold_with_or_without_folder(counter)
    assert downloads(link) == 7


@every_loss
def test_a_removed_file_loses_nothing_while_the_database_is_away(
    lose: Callable[[Path], None], journal: NewJournal
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 3)
    lose(counter.directory)
    for _ in range(2):
        with connection.execute_wrapper(refuse_statement), pytest.raises(OperationalError):
            counter.flush()
    fold_with_or_without_folder(counter)
    assert downloads(link) == 3


@every_loss
def test_a_removed_file_loses_nothing_at_the_end_of_the_process(
    lose: Callable[[Path], None], journal: NewJournal
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 3)
    lose(counter.directory)
    _at_exit()
    assert downloads(link) == 3


def test_an_end_without_a_database_says_that_they_are_lost(
    journal: NewJournal, caplog: pytest.LogCaptureFixture
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    remove_folder(counter.directory)
    with connection.execute_wrapper(refuse_statement):
        counter.close()
    assert "Downloads in files that were removed are lost" in caplog.text


def test_a_folder_that_is_put_back_adds_nothing_twice(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    other = journal()
    for each in (counter, other):
        count(each, link, 3)
    other.close()  # it died, and only its file has these
    away = counter.directory.with_name("elsewhere")
    counter.directory.rename(away)
    fold_with_or_without_folder(counter)
    assert downloads(link) == 3
    away.rename(counter.directory)
    counter._breaker.succeeded()
    count(counter, link)
    assert counter.flush() == 4
    assert downloads(link) == 7
    assert segments_in(counter.directory) == []


def test_a_folder_that_is_away_for_less_than_a_second_is_not_missed(
    journal: NewJournal, caplog: pytest.LogCaptureFixture
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    away = counter.directory.with_name("elsewhere")
    counter.directory.rename(away)
    count(counter, link)
    away.rename(counter.directory)
    assert counter.flush() == downloads(link) == 2
    assert caplog.records == []


def test_files_that_were_moved_to_the_folder_of_a_restart_are_added(
    journal: NewJournal, tmp_path: Path
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 3)
    counter.close()
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in segments_in(counter.directory):
        path.rename(moved / path.name)
    assert JournalCounter(moved).flush() == downloads(link) == 3


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of ``size`` at ``folder``."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # pragma: no cover
        pytest.skip("NOT TESTED: only the superuser may mount a disk.")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_real_disk_that_is_full_loses_nothing(journal: NewJournal) -> None:
    """It has room for one file, which is taken, and for none beside it."""
    counter, other, link = journal(), journal(), DirectLinkFactory()
    with small_disk(counter.directory, "1536k"):
        count(counter, link, 3)
        count(other, link, 2)
        assert downloads(link) == 2
        count(counter, link)
        assert counter.flush() == 4
        assert downloads(link) == 6
        assert segments_in(counter.directory) == []


def test_a_real_disk_that_can_only_be_read_loses_nothing(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    with small_disk(counter.directory, "4m"):
        count(counter, link, 3)
        counter.close()
        remount = ["mount", "-o", "remount,{}", str(counter.directory)]
        subprocess.run([word.format("ro") for word in remount], check=True)
        after = journal()
        count(after, link, 2)
        assert (after.flush(), downloads(link)) == (0, 2)
        subprocess.run([word.format("rw") for word in remount], check=True)
        assert (after.flush(), downloads(link)) == (3, 5)


def test_a_disk_that_is_taken_away_in_use_loses_nothing(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    with small_disk(counter.directory, "4m"):
        count(counter, link, 3)
    assert counter.flush() == downloads(link) == 3


@pytest.mark.parametrize("is_own", [True, False])
def test_a_segment_that_cannot_be_deleted_is_not_added_twice(
    is_own: bool, journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link, 2)
    if not is_own:
        counter.close()
        counter = journal()

    def refuse(path: Path, **options: bool) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        for _ in range(2):
            try:
                counter.flush()
            except PermissionError:
                assert is_own
    assert counter.flush() == 0
    assert downloads(link) == 2
    assert segments_in(counter.directory) == []


def test_two_ends_are_as_good_as_one(journal: NewJournal) -> None:
    counter, link = journal(), DirectLinkFactory()
    count(counter, link)
    counter.close()
    counter.close()
    count(counter, link)
    counter.close()
    assert journal().flush() == 2


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
    assert counter.flush() == downloads(link) == 3


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
    assert (noted(counter), counter.pending()) == ([3], 3)
    assert [counter.flush(), counter.flush(), journal().flush()] == [3, 0, 0]
    assert downloads(link) == 3
