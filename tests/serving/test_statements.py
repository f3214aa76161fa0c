"""The statements of a visit, as those see them who watch Django's cursor."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.contrib.fastlane.test_driver import cursors_made
from tests.factories import DirectLinkFactory
from tests.serving.doors import DOORS, Door, wsgi

# What a plain visit begins each statement with. On PostgreSQL it is one, and transactions begin
# without one, as on MariaDB, where a link is read before it is counted.
STATEMENTS = {
    "sqlite": ["BEGIN", "UPDATE", "INSERT"],
    "postgresql": ["WITH"],
    "mysql": ["SELECT", "UPDATE", "INSERT"],
}


def first_words(statements: list[str]) -> list[str]:
    return [statement.split()[0] for statement in statements]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", DOORS)
def test_a_wrapper_sees_each_statement_of_a_visit(door: Door) -> None:
    path = DirectLinkFactory().get_absolute_url()
    door(path)  # the host is known from now on
    seen: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        assert door(path).status == 302
    statements = [word for word in first_words(seen) if word != "SET"]  # up a new connection
    assert statements == STATEMENTS[connection.vendor]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", DOORS)
def test_only_the_fast_lane_goes_around_djangos_cursor(door: Door) -> None:
    path = DirectLinkFactory().get_absolute_url()
    door(path)
    with cursors_made() as cursors:
        assert door(path).status == 302
    is_hidden = door is wsgi and connection.vendor != "mysql"  # where it reads first, for the view
    assert bool(cursors) is not is_hidden


def test_sentry_shows_each_statement_of_the_view_and_none_of_the_fast_lane(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DIRECTLINKS_SCRATCH": str(tmp_path),
    }
    program = [sys.executable, "-m", "tests.serving.visits_seen_by_sentry"]
    done = subprocess.run(program, env=environment, check=True, capture_output=True, timeout=300)
    by_view, *by_lane = json.loads(done.stdout)
    assert first_words(by_view) == ["connect", "BEGIN", "UPDATE", "INSERT", "COMMIT"]
    assert by_lane == []  # no transaction of Sentry's at all
