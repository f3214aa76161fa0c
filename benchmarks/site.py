"""The site that is measured: a production project in a temporary folder, with three files."""

import json
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.redirects import JOURNAL, SQLITE, WRAPPED
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site

MEGABYTE = 1_000_000
LARGE = 100 * MEGABYTE
GIBIBYTE = 1024**3

FILES = ["small.bin", "large.bin", "huge.bin"]

PRODUCTION = (
    'DEBUG = False\nALLOWED_HOSTS = ["127.0.0.1"]\nMEDIA_ROOT = BASE_DIR / "media"\n' + SQLITE
)
BACKENDS = {
    "signed": "directlinks.delivery.backends.signed_url.SignedURLBackend",
    "stream": "directlinks.delivery.backends.stream.StreamBackend",
    "accel": "directlinks.delivery.backends.web_server.AccelBackend",
    "sendfile": "directlinks.delivery.backends.web_server.SendfileBackend",
}

# Sends a file of MEDIA_ROOT, or lets the web server in front send it. gunicorn's wsgi.file_wrapper
# sends from the kernel. With ?counted it commits one write before, as what counts in SQLite must.
PLAIN_MODULE = """
import os
import sqlite3
import threading
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
from django.conf import settings

connections = threading.local()

def count():
    if not hasattr(connections, "own"):
        database = settings.BASE_DIR / "plain.sqlite3"
        connections.own = sqlite3.connect(database, timeout=60, isolation_level=None)
        connections.own.execute("PRAGMA synchronous=NORMAL")
    connections.own.execute("UPDATE visits SET n = n + 1 WHERE id = 1")

class Blocks:
    def __init__(self, file):
        self.file = file
        self.close = file.close
    def __iter__(self):
        return iter(lambda: self.file.read(512 * 1024), b"")

def application(environ, start_response):
    _, how, name = environ["PATH_INFO"].split("/")
    path = f"{settings.MEDIA_ROOT}/{name}"
    if environ["QUERY_STRING"] == "counted":
        count()
    headers = [("Content-Type", "application/octet-stream")]
    if how != "sent":
        accel, sendfile = ("X-Accel-Redirect", f"/protected/{name}"), ("X-Sendfile", path)
        place = accel if how == "accel" else sendfile
        start_response("200 OK", [*headers, ("Content-Length", "0"), place])
        return []
    file = open(path, "rb", buffering=0)
    start_response("200 OK", [*headers, ("Content-Length", str(os.fstat(file.fileno()).st_size))])
    wrapper = environ.get("wsgi.file_wrapper")
    return Blocks(file) if wrapper is None else wrapper(file, 512 * 1024)
"""
PLAIN_APPLICATION = "mysite.plain:application"
PLAIN_TABLE = """
PRAGMA journal_mode=WAL;
CREATE TABLE visits (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO visits VALUES (1, 0);
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """The site, and the paths of its links to files of 1 MB, of 100 MB and of 1 GiB."""

    site: Site
    small: str
    large: str
    huge: str

    def delivering(self, backend: str, *, remembering: bool = False) -> Site:
        """The site with one of BACKENDS, and perhaps with the cache and the journal."""
        chosen = {"BACKEND": BACKENDS[backend]}
        settings = JOURNAL if remembering else "DIRECTLINKS = {}\n"
        name = f"{backend}_remembering" if remembering else backend
        return self.site.variant(name, f'{settings}DIRECTLINKS["DELIVERY"] = {chosen}\n')


@contextmanager
def measured_site() -> Iterator[Measured]:
    """In a folder that the user of a web server can read."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        site = new_site(Path(scratch, "project"), settings=DOCUMENTED_SETTINGS + PRODUCTION)
        (site.folder / "mysite" / "wrapped.py").write_text(WRAPPED)
        (site.folder / "mysite" / "plain.py").write_text(PLAIN_MODULE)
        with closing(sqlite3.connect(site.folder / "plain.sqlite3")) as tables:
            tables.executescript(PLAIN_TABLE)
        site.manage("migrate", "-v", "0")
        site.add_user("ada")
        media = site.folder / "media"
        media.mkdir()
        (media / "small.bin").write_bytes(random.Random(1).randbytes(MEGABYTE))
        for name, size in (("large.bin", LARGE), ("huge.bin", GIBIBYTE)):
            with (media / name).open("wb") as file:
                file.truncate(size)  # sparse: it takes no room on the disk
        site.manage("directlinks_add", "ada", "--adopt", *FILES)
        links = site.shell(
            "import json",
            "from directlinks.models import DirectLink, File",
            "def link(path):",
            "    file = File.objects.get(path=path)",
            "    return DirectLink.objects.create(file=file).get_absolute_url()",
            f"print(json.dumps([link(path) for path in {FILES}]))",
        )
        yield Measured(site, *json.loads(links))
