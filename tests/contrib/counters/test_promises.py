"""What counting outside the database promises, against those who would break it.

Each download is added to the database once: whoever dies whenever, and however many fold at once.
"""

import threading
import time
from collections.abc import Callable
from multiprocessing import get_context

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directlinks.contrib.counters import deferred
from directlinks.counters.base import Counter
from directlinks.models import DailyDownloads, DirectLink
from tests.contrib.counters.conftest import NewCounter
from tests.contrib.counters.dying import forked, killed_at, steps_of
from tests.examples import examples
from tests.factories import DirectLinkFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The worker of xdist has a thread of its own, which no process forked here asks for.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

IN_FIXTURES = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def _nobody_folds_unasked(monkeypatch: pytest.MonkeyPatch, unshared_connection: None) -> None:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 3600.0)


@pytest.fixture
def _everybody_folds_often(_nobody_folds_unasked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 0.01)


def count(counter: Counter, link: DirectLink, times: int = 1) -> None:
    for _ in range(times):
        assert counter.count(link.pk, timezone.now())


def counted(link: DirectLink) -> int:
    """The downloads of ``link`` in the database, where the days agree with the link."""
    link.refresh_from_db()
    days = DailyDownloads.objects.filter(link=link).values_list("downloads", flat=True)
    assert sum(days) == link.downloads
    return link.downloads


def is_counted(link: DirectLink, downloads: int) -> bool:
    """Whether so many are in the database by now, to which others write meanwhile."""
    return DirectLink.objects.filter(pk=link.pk, downloads=downloads).exists()


def left_by_one_who_died(new_counter: NewCounter, *downloads: tuple[DirectLink, int]) -> None:
    counter = new_counter()
    for link, times in downloads:
        count(counter, link, times)
    counter.close()


def test_a_fold_may_be_killed_between_any_two_of_its_steps(new_counter: NewCounter) -> None:
    link, other = DirectLinkFactory(), DirectLinkFactory()
    left_by_one_who_died(new_counter, (link, 3), (other, 1))
    last = steps_of(lambda: new_counter().flush())
    assert (counted(link), counted(other)) == (3, 1)

    for killed, step in enumerate(range(1, last + 1), 1):
        left_by_one_who_died(new_counter, (link, 3), (other, 1))
        assert killed_at(step, lambda: new_counter().flush()), f"{step} of {last}"
        new_counter().flush()
        assert (counted(link), counted(other)) == (3 + 3 * killed, 1 + killed), f"{step} of {last}"
        assert new_counter().pending() == 0


def test_who_is_not_killed_has_done_it(new_counter: NewCounter) -> None:
    link = DirectLinkFactory()
    left_by_one_who_died(new_counter, (link, 3))
    assert not killed_at(10_000, lambda: new_counter().flush())
    assert counted(link) == 3


@IN_FIXTURES
@given(data=st.data())
def test_whatever_happens_in_whatever_order(new_counter: NewCounter, data: st.DataObject) -> None:
    links = [DirectLinkFactory(), DirectLinkFactory()]
    living = [new_counter(), new_counter()]
    expected = [0, 0]
    for _ in range(data.draw(st.integers(1, 8))):
        who = data.draw(st.sampled_from([0, 1]))
        match data.draw(st.sampled_from(["count", "fold", "die", "die folding"])):
            case "count":
                which, times = data.draw(st.tuples(st.sampled_from([0, 1]), st.integers(1, 3)))
                count(living[who], links[which], times)
                expected[which] += times
            case "fold":
                living[who].flush()
            case "die":
                living[who].close()
                living[who] = new_counter()
            case _:  # die folding
                killed_at(data.draw(st.integers(1, 40)), lambda: new_counter().flush())
    for counter in living:
        counter.close()
    new_counter().flush()
    assert [counted(link) for link in links] == expected


def test_many_processes_fold_at_once(new_counter: NewCounter) -> None:
    links = [DirectLinkFactory() for _ in range(3)]
    for _ in range(6):
        left_by_one_who_died(new_counter, *((link, 2) for link in links))
    start = get_context("fork").Barrier(4)

    def fold() -> None:
        start.wait()
        new_counter().flush()

    processes = [forked(fold) for _ in range(4)]
    for process in processes:
        process.join()
    assert {process.exitcode for process in processes} <= {0, 1}  # a lock may be refused, at worst
    new_counter().flush()
    assert [counted(link) for link in links] == [12, 12, 12]


@pytest.mark.usefixtures("_everybody_folds_often")
def test_processes_that_count_and_fold_at_once_lose_nothing(new_counter: NewCounter) -> None:
    link = DirectLinkFactory()

    def work() -> None:
        counter = new_counter()
        for _ in range(50):
            count(counter, link)
            time.sleep(0.002)

    processes = [forked(work) for _ in range(3)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    new_counter().flush()
    assert counted(link) == 150


@pytest.mark.usefixtures("_everybody_folds_often")
def test_threads_that_count_and_fold_at_once_lose_nothing(new_counter: NewCounter) -> None:
    link = DirectLinkFactory()
    counter = new_counter()
    threads = [threading.Thread(target=count, args=(counter, link, 500)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counter.close()
    new_counter().flush()
    assert counted(link) == 2000


def test_a_process_forked_from_one_that_counts_has_a_counter_of_its_own(
    new_counter: NewCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As workers are forked from a server that has loaded the site, and visited it."""
    link = DirectLinkFactory()
    counter = new_counter()
    count(counter, link)
    ended = get_context("fork").Event()
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 0.05)

    def work() -> None:
        count(counter, link)
        ended.wait(60)

    worker = forked(work)
    try:
        wait_until(lambda: DirectLink.objects.filter(downloads__gt=0).exists())  # by the worker
        # Its parent dies; the worker lives, and must not keep what was its parent's.
        counter.close()
        new_counter().flush()
        assert counted(link) == 2
    finally:
        ended.set()
        worker.join()
    assert worker.exitcode == 0


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.mark.usefixtures("_everybody_folds_often")
def test_what_is_counted_is_in_the_database_soon(new_counter: NewCounter) -> None:
    link = DirectLinkFactory()
    counter = new_counter()
    count(counter, link)
    wait_until(lambda: is_counted(link, 1))
    count(counter, link)
    wait_until(lambda: is_counted(link, 2))
    wait_until(lambda: counter.pending() == 0)
