"""Fields that take what they are called and nothing that could be made into it.

DRF's own take "1" for True, 7 for "7" and a moment without a time zone for one of the site's; here
each of these is a mistake, which the client should hear of.
"""

import re
from datetime import datetime
from typing import Any

from rest_framework import serializers

from directlinks.core import referers
from directlinks.datetimes import as_stored
from directlinks.fields import FAR_AWAY

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}


class StringListField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of one or more strings, taken as they are."""

    default_error_messages = {
        "invalid": "Expected a list of strings.",
        "empty": "Expected one at least.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        # In one go: an error for each of a million wrong items would be an attack on our memory.
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fail("invalid")
        if not data:
            self.fail("empty")
        return data


class TextField(serializers.CharField):
    """A string, taken as it is; a number is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TruthField(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class WholeNumberField(serializers.IntegerField):
    """A whole number, written as one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class MomentField(serializers.DateTimeField):
    """A moment as RFC 3339 writes it, to the second or finer, with its time zone."""

    default_error_messages = {
        "invalid": "Expected a moment such as 2026-12-31T18:00:00+01:00.",
        "far_away": FAR_AWAY,
        "naive": "The time zone is missing: expected a moment such as 2026-12-31T18:00:00+01:00.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail("invalid")
        if match[3] is None:
            self.fail("naive")
        try:
            # The edges of the calendar may not fit.
            moment = as_stored(datetime.fromisoformat(match[0].upper()))
        except OverflowError:
            self.fail("far_away")
        except ValueError:  # the thirtieth of February, the year 0 or 10000
            self.fail("invalid")
        return moment


class HostsField(serializers.Field[str, Any, list[str], Any]):
    """A list of host names, kept as the lines of a text."""

    default_error_messages = {
        "invalid": "Expected a list of host names such as example.org.",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, list) or not all(map(_is_host, data)):
            self.fail("invalid")
        return "\n".join(data)


def _is_host(item: Any) -> bool:
    # More than one line would be more than one host.
    one = isinstance(item, str) and referers.hosts(item) == [item.lower()]
    return one and referers.fault(item) is None


class QueryTruthField(serializers.BooleanField):
    """A boolean in a query string, as clients of this protocol write it; empty is false."""

    def to_internal_value(self, data: Any) -> bool:
        if data in _TRUE:
            return True
        if data not in _FALSE:
            self.fail("invalid", input=data)
        return False
