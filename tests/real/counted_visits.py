"""Visitors who open links, and how many of their visits a site has counted."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from tests.real.servers import Server
from tests.real.sites import Site
from tests.real.visitors import PATIENCE, ask

CLIENTS = 8
GRANTED, UNANSWERED = 302, 0


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

    def keep_coming(self, seconds: float) -> None:
        """Wait for ``seconds``, and until there are fifty more granted visits."""
        enough = self.seen(GRANTED) + 50
        time.sleep(seconds)
        give_up_at = time.monotonic() + PATIENCE
        while self.seen(GRANTED) < enough:
            assert time.monotonic() < give_up_at, self.answers
            time.sleep(0.1)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Have all clients open links meanwhile."""
        self.ended.clear()
        threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()
            for thread in threads:
                thread.join()


def downloads_of(site: Site, paths: list[str], *, fold: bool = True) -> dict[str, tuple[int, int]]:
    """Those of each link and those of its days, once what waits is added."""
    codes = {path.split("/")[2]: path for path in paths}
    counted = site.shell(
        "import json",
        "from django.core.management import call_command",
        "from django.db.models import Sum",
        "from directlinks.models import DirectLink",
        "call_command('directlinks_flush_counts', verbosity=0)" if fold else "",
        f"links = DirectLink.objects.filter(code__in={list(codes)!r})",
        'print(json.dumps(list(links.annotate(sum=Sum("days__downloads")).values_list(',
        '    "code", "downloads", "sum"',
        "))))",
    ).splitlines()[-1]
    return {codes[code]: (total, days) for code, total, days in json.loads(counted)}
