"""The part of ``lookups.py`` that runs where models can be imported."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from directlinks.contrib.fastlane.driver import get_driver_link_queries
from directlinks.datetimes import day_of
from directlinks.models import File

VISITS = 2000

# Codes that say their number, so that any of them can be asked for; unique, and in no order.
_FILL = {
    "sqlite": """
        WITH RECURSIVE numbers (n) AS (
            SELECT %s UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %s
        )
        INSERT INTO directlinks_directlink
            (file_id, code, name, created_at, downloads, paused, password, referers, ask_first,
            label, note)
        SELECT %s, printf('%%08x%%014d', (n * 2654435761) %% 4294967296, n), n, %s, 0, 0,
            '', '', 0, '', ''
        FROM numbers""",
    "postgresql": """
        INSERT INTO directlinks_directlink
            (file_id, code, name, created_at, downloads, paused, password, referers, ask_first,
            label, note)
        SELECT %s, lpad(to_hex((n * 2654435761) %% 4294967296), 8, '0')
            || lpad(n::text, 14, '0'), n::text, %s, 0, FALSE, '', '', FALSE, '', ''
        FROM generate_series(%s::bigint, %s::bigint - 1) AS n""",
}

# So that a database finishes its work on new rows before others are measured.
_SETTLE = {
    "sqlite": ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
    "postgresql": ["VACUUM ANALYZE", "CHECKPOINT"],
}


def code_of(number: int) -> str:
    return f"{number * 2654435761 % 4294967296:08x}{number:014d}"


class Table:
    """``size`` links of one file."""

    def __init__(self, size: int) -> None:
        owner = get_user_model()._default_manager.get(username="ada")
        content = ContentFile(b"x", name="x")
        self.file = File.objects.create(owner=owner, path="lookups", content=content)
        self.size = size
        self.dice = random.Random(size)
        with connection.cursor() as cursor, _room_for_indexes(cursor):
            self._fill(cursor)
        with connection.cursor() as cursor:
            for statement in _SETTLE[connection.vendor]:
                cursor.execute(statement)

    def timed(self) -> tuple[float, float]:
        """Microseconds for finding one of VISITS random links, and for opening one."""
        links, now = get_driver_link_queries(), timezone.now()
        day = day_of(now)

        def find(number: int) -> Any:
            return links.fetch(code_of(number), now)

        def open_one(number: int) -> Any:
            return links.claim(code_of(number), str(number), now, day)

        return self._mean(find), self._mean(open_one)

    def _mean(self, visit: Callable[[int], Any]) -> float:
        numbers = [self.dice.randrange(self.size) for _ in range(VISITS)]
        begun = time.perf_counter()
        for number in numbers:
            if visit(number) is None:
                raise RuntimeError(f"Link {number} was not found.")
        return (time.perf_counter() - begun) / VISITS * 1e6

    def _fill(self, cursor: Any) -> None:
        now: Any = connection.ops.adapt_datetimefield_value(timezone.now())
        facts = (0, self.size, self.file.pk, now)
        if connection.vendor == "postgresql":
            facts = (self.file.pk, now, 0, self.size)
        cursor.execute(_FILL[connection.vendor], facts)


@contextmanager
def _room_for_indexes(cursor: Any) -> Iterator[None]:
    """Memory in which SQLite keeps an index while codes in no order come in: with its own 2 MB it
    would write each page many times. What is measured afterwards has no more than it had."""
    if connection.vendor != "sqlite":
        yield
        return
    ((before,),) = cursor.execute("PRAGMA cache_size").fetchall()
    cursor.execute("PRAGMA cache_size = -2000000")  # KiB
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA cache_size = {before}")
