"""Redirects: what it costs to follow a link, beside a Django view that redirects and does no more.

All servers run with one worker and one thread, so the ratio is that of the work for one request.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.effort import Effort
from benchmarks.results import Rates
from tests.real import servers
from tests.real.servers import Server
from tests.real.sites import DOCUMENTED_SETTINGS, DOCUMENTED_URLS, Site, new_site

CONNECTIONS = 32
LINKS = 1000

CONTROL = "a Django view, no middleware"

# The control answers with a constant, from a project without any middleware.
CONTROL_URLS = """
from django.http import HttpResponse
def control(request):
    return HttpResponse(status=302, headers={"Location": "/x", "Content-Length": "0"})
urlpatterns += [path("control", control)]
"""

SETTINGS = """
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
LOGGING_CONFIG = None
"""

# Those of docs/speed.md: readers do not wait for the writer, and a commit waits for the disk only
# where a checkpoint is due.
SQLITE = """
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["OPTIONS"] = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA page_size=2048; PRAGMA journal_mode=WAL; "
    "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000",
}
"""

WRAPPED = """
from directlinks.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
WRAPPED_APPLICATION = "mysite.wrapped:application"
# The most that any application in Python could reach here.
SERVER_ALONE = """
def application(environ, start_response):
    start_response("302 Found", [("Location", "/x"), ("Content-Length", "0")])
    return []
"""
WORKERS = (1, 2, 4)

BARE = "MIDDLEWARE = []\n"
FIRST = 'MIDDLEWARE.insert(0, "directlinks.contrib.fastlane.middleware.DirectLinksMiddleware")\n'
JOURNAL = """
(BASE_DIR / "journal").mkdir(exist_ok=True)
DIRECTLINKS = {
    "CACHE_SECONDS": 10,
    "COUNTER": {"BACKEND": "journal", "OPTIONS": {"directory": BASE_DIR / "journal"}},
}
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A way to serve links: settings after the project's own, and its goal, a ratio or None."""

    name: str
    settings: str
    goal: float | None = None
    module: str = "wsgi"


def subjects(vendor: str) -> list[Subject]:
    """What is measured on ``vendor``, with the goals that it has there."""
    view, lane = {"sqlite": (0.35, 1.5), "postgresql": (0.25, 0.45)}.get(vendor, (None, None))
    return [
        Subject("view, no middleware", BARE, view),
        Subject("view, Django's middleware", ""),
        Subject("middleware in first position", FIRST),
        Subject("WSGI wrapper", "", lane, module="wrapped"),
        Subject("WSGI wrapper, cache and journal", JOURNAL, 4.0, module="wrapped"),
        Subject("the server alone, a constant", "", module="constant"),
    ]


def new_measured_site(folder: Path, settings: str) -> Site:
    """A site with tables, ada, the control and a wrapped application, on the database of
    ``settings``."""
    site = new_site(
        folder, settings=DOCUMENTED_SETTINGS + settings, urls=DOCUMENTED_URLS + CONTROL_URLS
    )
    (folder / "mysite" / "wrapped.py").write_text(WRAPPED)
    (folder / "mysite" / "constant.py").write_text(SERVER_ALONE)
    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    return site


def measure_workers(site: Site, effort: Effort) -> list[Rates]:
    """The wrapper with one worker, two and so on, beside itself with one."""
    script = _script(site, _links(site))
    variant = site.variant("workers", SETTINGS)
    rounds: dict[int, list[float]] = {}
    for workers in WORKERS:
        with servers.granian(
            variant, application=WRAPPED_APPLICATION, threads=1, workers=workers
        ) as server:
            _load(server.origin, script, seconds=1)
            rounds[workers] = [
                _load(server.origin, script, effort.seconds) for _ in range(effort.rounds)
            ]
    return [
        Rates(f"{workers} workers", rates, rounds[1], None) for workers, rates in rounds.items()
    ]


def measure(site: Site, vendor: str, effort: Effort) -> list[Rates]:
    """All subjects in turn, again and again, so that a busy minute strikes them alike.

    ``site`` has its tables, and ada among its users.
    """
    script = _script(site, _links(site))
    wanted = subjects(vendor)
    with ExitStack() as stack:
        control = stack.enter_context(_granian(site, "control", SETTINGS + BARE))
        started = {CONTROL: f"{control.origin}/control"}
        for number, subject in enumerate(wanted):
            settings = SETTINGS + subject.settings
            server = stack.enter_context(
                _granian(site, f"subject{number}", settings, module=subject.module)
            )
            started[subject.name] = server.origin
        rounds = list(_rounds(started, script, effort))
    goals = {subject.name: subject.goal for subject in wanted}
    return [
        Rates(
            name, [one[name] for one in rounds], [one[CONTROL] for one in rounds], goals.get(name)
        )
        for name in started
    ]


def _rounds(started: Mapping[str, str], script: Path, effort: Effort) -> Iterator[dict[str, float]]:
    for url in started.values():
        _load(url, script, seconds=1)  # what a first request loads is no speed
    for number in range(1, effort.rounds + 1):
        sys.stderr.write(f"Round {number} of {effort.rounds} …\n")
        yield {name: _load(url, script, effort.seconds) for name, url in started.items()}


def _links(site: Site) -> list[str]:
    """The paths of LINKS new links."""
    return list(
        json.loads(
            site.shell(
                "import json",
                "from directlinks.models import DirectLink, File",
                "from django.core.files.base import ContentFile",
                'ada = User.objects.get(username="ada")',
                'found = File.objects.filter(owner=ada, path="many/0.bin").first()',
                'content = ContentFile(b"x", name="0.bin")',
                "new = File(owner=ada, path='many/0.bin', content=content)",
                "found or new.save()",
                "first = found or new",
                f"links = [DirectLink(file=first, name=f'{{n}}.bin') for n in range({LINKS})]",
                "DirectLink.objects.bulk_create(links)",
                "print(json.dumps([link.get_absolute_url() for link in links]))",
            )
        )
    )


def _script(site: Site, paths: list[str]) -> Path:
    """For wrk: every request for another link; of the control, always the same."""
    script = site.folder.parent / "links.lua"
    listed = ",\n".join(f'"{path}"' for path in paths)
    script.write_text(
        f"local paths = {{{listed}}}\n"
        "local next = 0\n"
        "request = function()\n"
        '  if wrk.path == "/control" then return wrk.format() end\n'
        "  next = next % #paths + 1\n"
        "  return wrk.format(nil, paths[next])\n"
        "end\n"
    )
    return script


@contextmanager
def _granian(site: Site, name: str, settings: str, *, module: str = "wsgi") -> Iterator[Server]:
    variant = site.variant(name, settings)
    with servers.granian(variant, application=f"mysite.{module}:application", threads=1) as server:
        yield server


def _load(url: str, script: Path, seconds: int) -> float:
    return load.requests_per_second(url, clients=CONNECTIONS, seconds=seconds, script=script)
