"""What fields take, and what they refuse although DRF would make something of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

from directlinks.api.serializers import (
    HostsField,
    QueryTruthField,
    RFC3339Field,
    StringListField,
    TextField,
    TruthField,
    WholeNumberField,
)
from directlinks.datetimes import as_stored

NOON = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("field", "given", "taken"),
    [
        (StringListField(), [" a ", ""], [" a ", ""]),
        (TextField(), " a ", " a "),
        (TruthField(), True, True),
        (TruthField(), False, False),
        (WholeNumberField(), -7, -7),
        (RFC3339Field(), "2026-05-04T12:00:00Z", NOON),
        (RFC3339Field(), "2026-05-04T12:00z", NOON),
        (RFC3339Field(), "2026-05-04t20:00:00+0800", NOON),
        (RFC3339Field(), "2026-05-04 20:00:00.000001+08:00", NOON + timedelta(microseconds=1)),
        (HostsField(), [], ""),
        (HostsField(), ["example.org", "Forum.Example.com"], "example.org\nForum.Example.com"),
        (QueryTruthField(), "True", True),
        (QueryTruthField(), "0", False),
    ],
)
def test_what_is_meant_is_taken(field: Any, given: Any, taken: Any) -> None:
    assert field.run_validation(given) == taken


REFUSED: dict[Field[Any, Any, Any, Any], list[Any]] = {
    StringListField(): ["a", {"a": 1}, [1], ["a", None], []],
    TextField(): [1, True, ["a"], "", "a\0", "\ud800"],
    TruthField(): ["true", 1, 0, "", [], {}],
    WholeNumberField(): [True, 1.0, "1", [1]],
    HostsField(): ["a", [1], [""], ["a\nb"], ["a b"], [" a"], ["a:1"]],
    QueryTruthField(): ["yes", "on", "null", "2"],
    RFC3339Field(): [
        1767225600,
        "",
        "2026-05-04",
        "12:00:00Z",
        "tomorrow",
        "2026-05-04T12:00:00Z ",
        "2026-02-30T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-05-04T24:00:01Z",
        "2026-05-04T12:00:00+25:00",
        "2026-W19-1T12:00:00Z",
        "\u0662026-05-04T12:00:00Z",
    ],
}


@pytest.mark.parametrize(
    ("field", "given"), [(field, given) for field, values in REFUSED.items() for given in values]
)
def test_what_could_be_made_into_it_is_refused(
    field: Field[Any, Any, Any, Any], given: Any
) -> None:
    with pytest.raises(ValidationError):
        field.run_validation(given)


def test_a_moment_without_a_time_zone_is_told_what_is_missing() -> None:
    with pytest.raises(ValidationError, match="The time zone is missing"):
        RFC3339Field().run_validation("2026-05-04T12:00:00")


@override_settings(USE_TZ=False)
def test_a_site_without_time_zones_gets_its_own_time() -> None:
    moment = RFC3339Field().run_validation("2026-05-04T12:00:00Z")
    assert moment == datetime(2026, 5, 4, 20)  # noqa: DTZ001 - such sites have no other
    with pytest.raises(ValidationError):
        RFC3339Field().run_validation("9999-12-31T23:59:59Z")
