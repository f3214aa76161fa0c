"""The database goes away under load: 503 until it is back, and what was granted is counted once."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.real.counted_visits import GRANTED, Visitors, downloads_of
from tests.real.database_servers import (
    DatabaseServer,
    MariaDB,
    PgBouncer,
    PostgreSQL,
    server_folder,
)
from tests.real.servers import Server, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.visitors import PATIENCE, ask, log_in

AWAY = 503
WORKERS, THREADS = 2, 4

PRODUCTION = """
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
IN_FRONT = "\nfrom directlinks.wsgi import get_wsgi_application as g\nin_front = g()\n"
DOORS = {"view": "mysite.wsgi:application", "lane": "mysite.wsgi:in_front"}

Outage = Callable[[], object]


@contextmanager
def site_on(url: str, folder: Path) -> Iterator[Site]:
    """A site on the database at ``url``, whose connections stay open."""
    site = new_site(folder / "project", settings=DOCUMENTED_SETTINGS + PRODUCTION)
    if url:
        options = '"OPTIONS": {"connect_timeout": 2}, "CONN_MAX_AGE": None'
        site.append(
            "mysite/settings.py",
            f"import dj_database_url\n"
            f"DATABASES = {{'default': dj_database_url.parse({url!r}) | {{{options}}}}}\n",
        )
    else:
        site.append("mysite/settings.py", "DATABASES['default']['OPTIONS'] = {'timeout': 0.5}\n")
    site.append("mysite/wsgi.py", IN_FRONT)
    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    yield site


class Drill:
    """Visits to a site whose database goes away, and comes back by itself."""

    def __init__(self, site: Site, server: Server, paths: list[str]) -> None:
        self.site = site
        self.visitors = Visitors(server, paths)
        self.api = f"{server.origin}/api/v4/"
        self.began = time.monotonic()

    def run(self, go_away: Outage, come_back: Outage) -> None:
        headers = log_in(self.api, "ada")
        with self.visitors.coming():
            self.visitors.keep_coming(1.0)
            go_away()
            self.wait_for(AWAY)
            # One more, of which the headers are seen.
            visit = ask("GET", self.visitors.server.origin + self.visitors.paths[0])
            call = ask("GET", f"{self.api}file/source", headers=headers)
            time.sleep(1.0)
            come_back()
            self.visitors.keep_coming(1.0)
        for answer in (visit, call):
            assert (answer.status, answer.headers["Retry-After"]) == (AWAY, "5")
            assert json.loads(answer.body)["code"] == AWAY
        assert ask("GET", f"{self.api}file/source", headers=headers).status == 200
        self.assert_counted()
        self.assert_logged_rarely()

    def wait_for(self, status: int) -> None:
        give_up_at = time.monotonic() + PATIENCE
        enough = self.visitors.seen(status) + 2 * WORKERS * THREADS
        while self.visitors.seen(status) < enough:
            assert time.monotonic() < give_up_at, self.visitors.answers
            time.sleep(0.1)

    def assert_counted(self) -> None:
        answers = self.visitors.answers
        assert {status for _, status in answers} == {GRANTED, AWAY}
        for path, (downloads, by_days) in downloads_of(self.site, self.visitors.paths).items():
            assert downloads == by_days
            # What is counted when a connection breaks may be refused, not the other way round.
            granted = answers[path, GRANTED]
            assert granted <= downloads <= granted + WORKERS * THREADS

    def assert_logged_rarely(self) -> None:
        log = (self.site.folder.parent / "gunicorn.log").read_text()
        seconds = 1 + int(time.monotonic() - self.began)
        kinds = 2  # of Django's errors: the connection broke, and it could not be had
        assert 1 <= log.count("The database is away") <= seconds * kinds * WORKERS
        assert "Internal Server Error" not in log


@pytest.fixture
def server_of(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    kind: type[PostgreSQL] | type[MariaDB] = request.param
    pytest.importorskip(kind.driver, reason="NOT TESTED: this needs the drivers of databases.")
    with server_folder(kind.user) as folder:
        server = kind(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def drill_on(url: str, folder: Path, door: str) -> Iterator[Drill]:
    with site_on(url, folder) as site:
        paths = list(site.add_links({f"{n}.txt": b"data" for n in range(2)}).values())
        with gunicorn(site, workers=WORKERS, threads=THREADS, application=DOORS[door]) as server:
            yield Drill(site, server, paths)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("server_of", [PostgreSQL], indirect=True)
def test_a_postgresql_that_is_stopped_and_started(
    door: str, server_of: DatabaseServer, tmp_path: Path
) -> None:
    with drill_on(server_of.url, tmp_path, door) as drill:
        drill.run(server_of.stop, server_of.start)


@pytest.mark.parametrize("server_of", [MariaDB], indirect=True)
def test_a_mariadb_that_is_stopped_and_started(server_of: DatabaseServer, tmp_path: Path) -> None:
    with drill_on(server_of.url, tmp_path, "view") as drill:
        drill.run(server_of.stop, server_of.start)


@pytest.mark.parametrize("how", ["killed", "paused"])
@pytest.mark.parametrize("server_of", [PostgreSQL], indirect=True)
def test_a_pgbouncer_in_front_of_it(how: str, server_of: PostgreSQL, tmp_path: Path) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder(PgBouncer.user))
        bouncer = PgBouncer(folder, server_of)
        bouncer.start()
        stack.callback(bouncer.stop)
        drill = stack.enter_context(drill_on(bouncer.url, tmp_path, "lane"))
        if how == "killed":
            drill.run(bouncer.stop, bouncer.start)
        else:
            drill.run(lambda: bouncer.tell("PAUSE"), lambda: bouncer.tell("RESUME"))


@pytest.mark.parametrize("door", DOORS)
def test_a_sqlite_that_is_locked_for_longer_than_its_timeout(door: str, tmp_path: Path) -> None:
    with drill_on("", tmp_path, door) as drill:
        file = drill.site.folder / "db.sqlite3"
        with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
            drill.run(lambda: lock(other), lambda: other.execute("COMMIT"))


def lock(connection: sqlite3.Connection) -> None:
    """Let no other connection read or write."""
    connection.execute("PRAGMA busy_timeout = 60000")
    connection.execute("BEGIN EXCLUSIVE")
