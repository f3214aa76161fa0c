"""The statement about folders, as each database spells it. What it finds: test_querysets.py."""

from typing import Any

import pytest
from django.db import connections

from directlinks.models import File
from directlinks.sql.folders import positions_of_folders
from tests.factories import FileFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_it_answers_with_positions() -> None:
    owner = FileFactory(path="b/c").owner
    asked = [(owner.pk, "a"), (owner.pk, "b"), (UserFactory().pk, "b"), (owner.pk, "b")]
    assert positions_of_folders(connections["default"], File._meta, asked) == {1, 3}


def test_a_key_may_be_given_as_text() -> None:
    owner = FileFactory(path="a/b").owner
    assert positions_of_folders(connections["default"], File._meta, [(str(owner.pk), "a")]) == {0}


def test_a_path_is_never_part_of_the_statement() -> None:
    owner = FileFactory(path="a'); DROP TABLE x; --/%s/b").owner
    asked = [(owner.pk, "a'); DROP TABLE x; --"), (owner.pk, "%s")]
    assert positions_of_folders(connections["default"], File._meta, asked) == {0}


@pytest.mark.parametrize(
    ("vendor", "is_mariadb", "row"),
    [
        ("mysql", False, "VALUES ROW(%s, %s, %s, %s, %s, %s), ROW(%s"),
        ("mysql", True, "VALUES (%s, %s, %s, %s, %s, %s), (%s"),
        ("sqlite", False, "VALUES (%s, %s, %s, %s, %s, %s), (%s"),
        ("postgresql", False, "VALUES (%s, %s, %s, %s, %s, %s), (%s"),
    ],
)
def test_mysql_alone_spells_a_row_its_own_way(
    monkeypatch: pytest.MonkeyPatch, vendor: str, is_mariadb: bool, row: str
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setattr(connection, "mysql_is_mariadb", is_mariadb, raising=False)
    statements: list[str] = []

    def only_note(execute: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    with connection.execute_wrapper(only_note), connection.cursor() as cursor:
        monkeypatch.setattr(connection, "cursor", lambda: cursor)
        monkeypatch.setattr(cursor.cursor, "fetchall", list, raising=False)
        found = positions_of_folders(connection, File._meta, [(1, "a"), (2, "b")])
    assert found == set()
    assert row in statements[0]
