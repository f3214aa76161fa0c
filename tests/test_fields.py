"""The two columns of our own."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from directlinks.fields import ExactCharField
from directlinks.models import File


def database(vendor: str, **facts: Any) -> Any:
    """As much of a connection as a column asks for."""
    return SimpleNamespace(
        vendor=vendor,
        ops=connection.ops,
        data_types=connection.data_types,
        data_type_check_constraints=connection.data_type_check_constraints,
        **facts,
    )


@pytest.mark.parametrize(
    ("served_by", "collation"),
    [
        (database("sqlite"), "BINARY"),
        (database("postgresql"), "C"),
        (database("mysql", mysql_is_mariadb=False), "utf8mb4_bin"),
        (database("mysql", mysql_is_mariadb=True), "utf8mb4_nopad_bin"),
        (database("oracle"), None),
    ],
)
def test_exact_text_has_a_binary_collation_on_each_database(
    served_by: Any, collation: str | None
) -> None:
    assert ExactCharField(max_length=9).db_parameters(served_by)["collation"] == collation


def test_its_collation_is_no_part_of_a_migration() -> None:
    _, path, _, options = ExactCharField(max_length=9).deconstruct()
    assert (path, options) == ("directlinks.fields.ExactCharField", {"max_length": 9})


@pytest.mark.parametrize("value", ["stored/name", ContentFile(b"bytes", name="a"), None])
def test_a_content_that_is_assigned_is_new(value: Any) -> None:
    file = File()
    file.content_is_new = False
    file.content = value
    assert file.content_is_new is True


def test_the_content_that_is_there_already_is_not_new() -> None:
    file = File(content="stored/name")
    file.content_is_new = False
    there = file.content
    # What a form does that got no upload.
    file.content = there
    assert file.content_is_new is False
