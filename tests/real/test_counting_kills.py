"""Workers are killed while visitors come: no download that was granted is lost, by any counter."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.real.databases import own_database
from tests.real.redis_servers import redis_server
from tests.real.servers import Server, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.visitors import ask

CLIENTS = 8
GRANTED, UNANSWERED = 302, 0
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


def counting_by(site: Site, counter: str, **options: str) -> Site:
    chosen = {"BACKEND": counter, "OPTIONS": options}
    return site.variant(counter, f"DIRECTLINKS = {{'COUNTER': {chosen!r}}}\n")


class Visitors:
    """Clients who open links one after another until they are told to end."""

    def __init__(self, server: Server, paths: list[str]) -> None:
        self.server = server
        self.paths = paths
        self.answers: Counter[tuple[str, int]] = Counter()
        self.ended = threading.Event()
        self.lock = threading.Lock()

    def run(self) -> None:
        turn = 0
        while not self.ended.is_set():
            turn += 1
            self.visit(self.paths[turn % len(self.paths)])

    def visit(self, path: str) -> None:
        try:
            status = ask("GET", self.server.origin + path).status
        except (OSError, HTTPException):
            status = UNANSWERED
        with self.lock:
            self.answers[path, status] += 1

    def seen(self, status: int) -> int:
        return sum(self.answers[path, status] for path in self.paths)


def kill_a_worker(server: Server, number: int) -> None:
    workers = [int(place.name) for place in server.processes()[1:]]
    os.kill(workers[number % len(workers)], signal.SIGKILL)


def downloads_of(site: Site, path: str) -> tuple[int, int]:
    """Those of a link, and those of its days."""
    total, days = site.shell(
        "from django.db.models import Sum",
        "from directlinks.models import DirectLink",
        f'links = DirectLink.objects.filter(code="{path.split("/")[2]}")',
        'print(*links.annotate(sum=Sum("days__downloads")).values_list("downloads", "sum").get())',
    ).split()
    return int(total), int(days)


def test_no_granted_download_is_lost_when_workers_are_killed(counting: Site) -> None:
    name = counting.settings_module
    paths = list(counting.add_links({f"{name}/{n}.txt": b"data" for n in range(3)}).values())
    with gunicorn(counting, workers=3, threads=4) as server:
        visitors = Visitors(server, paths)
        threads = [threading.Thread(target=visitors.run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for number, pause in enumerate(PAUSES):
            time.sleep(pause)
            kill_a_worker(server, number)
        time.sleep(1.5)
        visitors.ended.set()
        for thread in threads:
            thread.join()
    counting.manage("directlinks_fold")

    assert visitors.seen(UNANSWERED) <= CLIENTS * len(PAUSES)
    assert visitors.seen(GRANTED) > 100
    assert visitors.answers.total() == visitors.seen(UNANSWERED) + visitors.seen(GRANTED)
    for path in paths:
        downloads, by_days = downloads_of(counting, path)
        assert downloads == by_days
        granted = visitors.answers[path, GRANTED]
        assert granted <= downloads <= granted + visitors.answers[path, UNANSWERED]
