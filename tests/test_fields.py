"""The columns of our own."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from directlinks.datetimes import as_stored
from directlinks.fields import (
    ExactCharField,
    UnicodeCharField,
    UnicodeText,
    UnicodeTextField,
)
from directlinks.models import File
from tests.factories import DirectLinkFactory, FileFactory


def database(vendor: str, **facts: Any) -> Any:
    """As much of a connection as a column asks for."""
    return SimpleNamespace(
        vendor=vendor,
        ops=connection.ops,
        data_types=connection.data_types,
        data_type_check_constraints=connection.data_type_check_constraints,
        **facts,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("vendor", "facts", "collation"),
    [
        ("sqlite", {}, "BINARY"),
        ("postgresql", {}, "C"),
        ("mysql", {"mysql_is_mariadb": False}, "utf8mb4_bin"),
        ("mysql", {"mysql_is_mariadb": True}, "utf8mb4_nopad_bin"),
        ("oracle", {}, None),
    ],
)
def test_exact_text_has_a_binary_collation_on_each_database(
    vendor: str, facts: dict[str, bool], collation: str | None
) -> None:
    field = ExactCharField(max_length=9)
    assert field.db_parameters(database(vendor, **facts))["collation"] == collation


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("vendor", "collation"),
    [("sqlite", None), ("postgresql", None), ("mysql", "utf8mb4_general_ci")],
)
@pytest.mark.parametrize("field", [UnicodeCharField(max_length=9), UnicodeTextField()])
def test_what_people_write_is_held_whole_and_sorted_by_the_database(
    field: UnicodeText, vendor: str, collation: str | None
) -> None:
    parameters = field.db_parameters(database(vendor))
    assert parameters.get("collation") == collation


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "text"), [("CATS.jpg", "cats"), ("cats.jpg", "CATS")])
def test_a_search_takes_upper_case_for_lower(path: str, text: str) -> None:
    file = FileFactory(path=path)
    assert list(File.objects.filter(path__icontains=text)) == [file]
    assert not File.objects.filter(path__contains=text).exists() or connection.vendor == "sqlite"


@pytest.mark.django_db
def test_a_search_does_so_beyond_ascii_where_the_database_can() -> None:
    FileFactory(path="ÉTÉ.txt")
    found = File.objects.filter(path__icontains="été").exists()
    assert found == (connection.vendor != "sqlite")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "collation"),
    [("as_postgresql", "default"), ("as_mysql", "utf8mb4_general_ci")],
)
def test_a_search_has_a_collation_of_its_own(form: str, collation: str) -> None:
    query = File.objects.filter(path__icontains="x").query
    (lookup,) = query.where.children
    sql, parameters = getattr(lookup, form)(query.get_compiler("default"), connection)
    assert f"COLLATE {collation}" in sql.replace("`", "").replace('"', "")
    assert list(parameters) == ["%x%"]


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


class TestMoments:
    FAR = (as_stored(datetime(1, 6, 1, tzinfo=UTC)), as_stored(datetime(9999, 12, 31, tzinfo=UTC)))

    @pytest.mark.django_db
    @pytest.mark.parametrize("moment", FAR)
    @pytest.mark.parametrize("name", ["not_before", "expires_at"])
    def test_what_no_database_could_give_back_is_not_saved(
        self, moment: datetime, name: str
    ) -> None:
        with pytest.raises(ValidationError, match="out of range"):
            DirectLinkFactory(**{name: moment})

    @pytest.mark.django_db
    @pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
    def test_a_form_says_so_in_every_time_zone(
        self, zone: str, day: str, admin_client: Client
    ) -> None:
        link = DirectLinkFactory()
        form = {"expires_at_0": day, "expires_at_1": "23:59:59"}
        with timezone.override(zone):
            response = admin_client.post(
                reverse("admin:directlinks_directlink_change", args=[link.pk]), form
            )
        assert response.context["adminform"].form.errors == {
            "expires_at": ["This date is out of range."]
        }
