"""Workers are killed while visitors come: no download that was granted is lost, by any counter."""

import os
import signal
import time
from collections.abc import Iterator
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
from tests.real.servers import Server, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site

# Seconds between two kills: before a worker folds for the first time, while it does, and after.
PAUSES = (0.7, 1.0, 1.2, 0.4, 1.6, 1.1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With files of ada's, on the database of DATABASE_URL."""
    media = 'MEDIA_ROOT = BASE_DIR / "media"\n'
    folder = tmp_path_factory.mktemp("kills") / "project"
    with own_database(new_site(folder, settings=DOCUMENTED_SETTINGS + media)) as site:
        site.add_user("ada")
        yield site


@pytest.fixture(params=["database", "journal", "redis"])
def counting(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Site]:
    """The site with each of the counters."""
    if request.param == "redis":
        with redis_server(tmp_path) as url:
            yield counting_by(site, "redis", url=url)
    else:
        options = {"directory": str(tmp_path)} if request.param == "journal" else {}
        yield counting_by(site, request.param, **options)


def kill_a_worker(server: Server, number: int) -> None:
    workers = [int(place.name) for place in server.processes()[1:]]
    os.kill(workers[number % len(workers)], signal.SIGKILL)


def test_no_granted_download_is_lost_when_workers_are_killed(counting: Site) -> None:
    name = counting.settings_module
    paths = list(counting.add_links({f"{name}/{n}.txt": b"data" for n in range(3)}).values())
    with gunicorn(counting, workers=3, threads=4) as server:
        visitors = Visitors(server, paths)
        with visitors.coming():
            for number, pause in enumerate(PAUSES):
                time.sleep(pause)
                kill_a_worker(server, number)
            time.sleep(1.5)
            while visitors.seen(GRANTED) <= 100:  # pragma: no cover  # on a busy machine
                visitors.keep_coming(0.0)
    assert visitors.seen(UNANSWERED) <= CLIENTS * len(PAUSES)
    assert visitors.seen(GRANTED) > 100
    assert visitors.answers.total() == visitors.seen(UNANSWERED) + visitors.seen(GRANTED)
    for path, (downloads, by_days) in downloads_of(counting, paths).items():
        assert downloads == by_days
        granted = visitors.answers[path, GRANTED]
        assert granted <= downloads <= granted + visitors.answers[path, UNANSWERED]
