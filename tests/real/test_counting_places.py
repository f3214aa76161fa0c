"""The place where downloads wait goes away under load: what was granted is counted all the same."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.counted_visits import (
    CLIENTS,
    GRANTED,
    UNANSWERED,
    Visitors,
    counting_by,
    downloads_of,
)
from tests.real.databases import own_database
from tests.real.redis_servers import redis_server
from tests.real.servers import Server, free_port, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site

WORKERS, THREADS = 4, 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With files of ada's, on the database of DATABASE_URL."""
    media = 'MEDIA_ROOT = BASE_DIR / "media"\n'
    folder = tmp_path_factory.mktemp("places") / "project"
    with own_database(new_site(folder, settings=DOCUMENTED_SETTINGS + media)) as site:
        site.add_user("ada")
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "counts"
    folder.mkdir()
    return folder


@pytest.fixture
def journal(site: Site, folder: Path) -> Site:
    return counting_by(site, "journal", directory=str(folder))


def new_paths(site: Site, name: str) -> list[str]:
    return list(site.add_links({f"{name}/{n}.txt": b"data" for n in range(3)}).values())


def assert_counted(site: Site, visitors: Visitors, *, fold: bool = True, twice: int = 0) -> None:
    """Each granted visit was counted, once; up to ``twice`` of each link possibly twice."""
    assert visitors.answers.total() == visitors.seen(UNANSWERED) + visitors.seen(GRANTED)
    for path, (downloads, by_days) in downloads_of(site, visitors.paths, fold=fold).items():
        granted, unanswered = (visitors.answers[path, answer] for answer in (GRANTED, UNANSWERED))
        sys.stdout.write(f"granted {granted}, unanswered {unanswered}, counted {downloads}\n")
        assert downloads == by_days
        assert granted <= downloads <= granted + unanswered + twice


def remove(folder: Path) -> None:
    # A worker may make a file in it meanwhile.
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def rename(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def put_back(folder: Path) -> None:
    rename(folder)
    time.sleep(2.0)
    folder.with_name("elsewhere").rename(folder)


def make_anew(folder: Path) -> None:
    remove(folder)
    time.sleep(1.5)
    folder.mkdir()


def remove_files(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("lose", [remove, rename, put_back, make_anew, remove_files])
def test_a_folder_that_goes_away_takes_no_count_along(
    lose: Callable[[Path], None], journal: Site, folder: Path
) -> None:
    paths = new_paths(journal, lose.__name__)
    with gunicorn(journal, workers=WORKERS, threads=THREADS) as server:
        visitors = Visitors(server, paths)
        with visitors.coming():
            visitors.keep_coming(1.0)
            lose(folder)
            visitors.keep_coming(2.0)
    assert visitors.seen(UNANSWERED) == 0
    assert_counted(journal, visitors, fold=folder.exists())


def test_a_folder_that_goes_away_before_the_server_ends_takes_no_count_along(
    journal: Site, folder: Path
) -> None:
    paths = new_paths(journal, "end")
    with gunicorn(journal, workers=WORKERS, threads=THREADS) as server:
        visitors = Visitors(server, paths)
        with visitors.coming():
            visitors.keep_coming(1.0)
        remove(folder)
    assert visitors.seen(UNANSWERED) == 0
    assert_counted(journal, visitors, fold=False)


def test_workers_that_are_replaced_leave_nothing_behind(journal: Site) -> None:
    paths = new_paths(journal, "replaced")
    with gunicorn(journal, workers=WORKERS, threads=THREADS, grace=30) as server:
        visitors = Visitors(server, paths)
        with visitors.coming():
            for _ in range(2):
                visitors.keep_coming(1.0)
                os.kill(server.pid, signal.SIGHUP)
            visitors.keep_coming(2.0)
    assert visitors.seen(UNANSWERED) <= CLIENTS * WORKERS
    assert_counted(journal, visitors)


def test_two_masters_may_share_a_folder_and_either_may_end(journal: Site) -> None:
    paths = new_paths(journal, "masters")
    with ExitStack() as stack:
        first, second = (gunicorn(journal, workers=2, threads=THREADS) for _ in range(2))
        servers: list[Server] = [stack.enter_context(second)]
        with first as server:
            servers.append(server)
            every = [Visitors(server, paths) for server in servers]
            with every[0].coming(), every[1].coming():
                every[0].keep_coming(1.5)
                every[1].keep_coming(0.0)
        with every[0].coming():
            every[0].keep_coming(1.5)
    both = Visitors(servers[0], paths)
    both.answers = every[0].answers + every[1].answers
    assert both.seen(UNANSWERED) == 0
    assert_counted(journal, both)


def test_a_redis_that_is_stopped_and_started_takes_no_count_along(
    site: Site, tmp_path: Path
) -> None:
    """A connection that breaks after the count was sent may count it twice."""
    port = free_port()
    counting = counting_by(site, "redis", url=f"redis://127.0.0.1:{port}/0")
    paths = new_paths(site, "redis")
    with ExitStack() as stack:
        with redis_server(tmp_path, port):
            server = stack.enter_context(gunicorn(counting, workers=WORKERS, threads=THREADS))
            visitors = Visitors(server, paths)
            stack.enter_context(visitors.coming())
            visitors.keep_coming(1.0)
        visitors.keep_coming(1.0)
        with redis_server(tmp_path, port):
            visitors.keep_coming(2.0)
            visitors.ended.set()
            time.sleep(0.5)
            assert_counted(counting, visitors, twice=WORKERS * THREADS)
