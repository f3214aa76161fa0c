"""Serializers of request bodies and queries, and the output of files and links."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from directlinks.core import paths, referers, uris
from directlinks.core.errors import InvalidParameters
from directlinks.core.links import EMPTY, LinkState
from directlinks.core.paths import name_unknown
from directlinks.core.snippets import snippets
from directlinks.core.uris import SITE, file_url
from directlinks.datetimes import as_stored, rfc3339
from directlinks.fields import FAR_AWAY
from directlinks.models import DirectLink, File
from directlinks.services.creating import IssuedLink
from directlinks.services.limits import EDITABLE_FIELDS
from directlinks.services.listing import ORDERS, Folder, LinkFilters, Order
from directlinks.services.statistics import DAYS, Statistics

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}


class StringListField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of one or more strings, taken as they are."""

    default_error_messages = {
        "invalid": "Expected a list of strings.",
        "empty": "Expected at least one item.",
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


class RFC3339Field(serializers.DateTimeField):
    """A datetime in RFC 3339, to the second or finer, with its time zone."""

    default_error_messages = {
        "invalid": "Expected a datetime such as 2026-12-31T18:00:00+01:00.",
        "far_away": FAR_AWAY,
        "naive": "The time zone is missing: expected a datetime such as 2026-12-31T18:00:00+01:00.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
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


YEAR = 366 * 86400
# What every supported database takes for a positive integer.
_LARGEST = 2_147_483_647


class CreateDirectLinksSerializer(serializers.Serializer[Any]):
    """URIs of the files that are to have links."""

    uris = StringListField()


class RevokeSerializer(serializers.Serializer[Any]):
    """Codes of the links to revoke."""

    ids = StringListField()


class LoginSerializer(serializers.Serializer[Any]):
    """``email`` takes a user name too."""

    # The longest address there is; SQLite refuses to search for very long texts.
    email = TextField(max_length=320)
    password = TextField(min_length=4, max_length=128)


class RefreshTokenSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh_token = TextField()


class PlainSerializer(serializers.Serializer[Any]):
    """Reports its errors in plain sentences, where the protocol has no messages of its own."""

    def checked(self, *, beside: Collection[str] = ()) -> dict[str, Any]:
        """Return the values that were given. Raise InvalidParameters with the first error.

        Reject unknown names too, unless they are in ``beside``: a misspelt limit would create a
        link without it.
        """
        known = [*self.fields, *beside]
        if unknown := self.initial_data.keys() - set(known):
            raise InvalidParameters(f"Unknown: {name_unknown(unknown, known)}")
        if not self.is_valid():
            name, faults = next(iter(self.errors.items()))
            raise InvalidParameters(f"{name}: {faults[0]}")
        return dict(self.validated_data)


class LimitsSerializer(PlainSerializer):
    """The limits of a link; what is absent stays as it is, null takes a limit away."""

    not_before = RFC3339Field(required=False, allow_null=True)
    expires_at = RFC3339Field(required=False, allow_null=True)
    max_downloads = WholeNumberField(
        required=False, allow_null=True, min_value=1, max_value=_LARGEST
    )
    paused = TruthField(required=False, allow_null=True)
    password = TextField(required=False, allow_null=True, allow_blank=True, max_length=128)
    referers = HostsField(required=False, allow_null=True)
    ask_first = TruthField(required=False, allow_null=True)
    label = TextField(  # type: ignore[assignment]  # DRF takes it off the class, as all fields
        required=False, allow_null=True, allow_blank=True, max_length=255
    )
    note = TextField(required=False, allow_null=True, allow_blank=True, max_length=10_000)


class CreationSerializer(LimitsSerializer):
    """Options of a request to create links."""

    reuse = TruthField(required=False, default=True)
    dry_run = TruthField(required=False, default=False)
    details = TruthField(required=False, default=False)


class RotateSerializer(PlainSerializer):
    """``grace``: for how many seconds the old code still opens; null and 0: not at all."""

    grace = WholeNumberField(required=False, allow_null=True, min_value=0, max_value=YEAR)


def limits_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits among ``values`` as services take them: null becomes an empty value."""
    return {
        name: EMPTY[name] if values[name] is None else values[name]
        for name in EDITABLE_FIELDS
        if name in values
    }


MOST_DAYS = 366
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200

STATES = {state.name.lower(): state for state in LinkState}
"""The states of a link as the API calls them."""


class SnippetsQuery(PlainSerializer):
    """Query of a single link."""

    snippets = QueryTruthField(required=False, default=False)


class ListQuery(SnippetsQuery):
    """``page_size`` may be any number from 1 on, but a page is never longer than MAX_PAGE_SIZE."""

    uri = TextField(required=False)
    state = serializers.ChoiceField(choices=list(STATES), required=False)
    label = TextField(required=False, max_length=255)  # type: ignore[assignment]  # as there
    created_after = RFC3339Field(required=False)
    created_before = RFC3339Field(required=False)
    order_by = serializers.ChoiceField(choices=list(ORDERS), required=False, default="created_at")
    order_direction = serializers.ChoiceField(
        choices=["asc", "desc"], required=False, default="desc"
    )
    page_size = serializers.IntegerField(required=False, default=PAGE_SIZE, min_value=1)
    next_token = TextField(required=False)

    def filters(self) -> LinkFilters:
        values = self.validated_data
        return LinkFilters(
            uri=uris.parse(values["uri"]) if "uri" in values else None,
            state=STATES.get(values.get("state")),
            label=values.get("label"),
            created_after=values.get("created_after"),
            created_before=values.get("created_before"),
        )

    def order(self) -> Order:
        values = self.validated_data
        return Order(values["order_by"], descending=values["order_direction"] == "desc")


class StatisticsQuery(PlainSerializer):
    """Query of a link's statistics."""

    days = serializers.IntegerField(required=False, default=DAYS, min_value=1, max_value=MOST_DAYS)


class InfoQuery(PlainSerializer):
    """Query of a file or folder."""

    uri = TextField(required=False)
    id = TextField(required=False)
    extended = QueryTruthField(required=False, default=False)


def query_of(request: Request) -> dict[str, Any]:
    """Return the query string of ``request``: of a name that comes twice, the last value.

    ``format`` means nothing here, as it would to DRF.
    """
    values = request.query_params.items()
    return {name: value for name, value in values if value and name != "format"}


# What the space of a user can do, as the protocol encodes it; bit 7 is "download".
_CAPABILITY = "w8edAQ=="


@dataclass(frozen=True, slots=True)
class Representation:
    """The user who reads, the time, and a function that makes a link's ``address``."""

    user: Any
    address: Callable[[str, str], str]
    now: datetime
    with_snippets: bool = False

    def issued(
        self, issued: IssuedLink, whole: Mapping[str, DirectLink] | None = None
    ) -> dict[str, Any]:
        """Return one item of the answer to PUT; a link that is not made yet has no address.

        It has details if the ``whole`` links are given, by their codes.
        """
        code, name = issued.source.code, issued.source.name
        is_made = issued.is_made
        item: dict[str, Any] = {
            "link": self.address(code, name) if is_made else "",
            "file_url": issued.file_url,
        }
        if whole is not None and code in whole:  # its file may have been deleted meanwhile
            details = {"id": code if is_made else "", "is_new": issued.is_new}
            item |= details | self.limits(whole[code])
        if self.with_snippets and is_made:
            item |= self.snippets(issued.link)
        return item

    def link(self, link: DirectLink) -> dict[str, Any]:
        """Return all fields of a link that may be shown, which excludes its password."""
        return {
            "id": link.code,
            "url": self.url(link),
            "file_url": self.file_url(link.file),
            "name": link.name,
            "downloaded": link.downloads,
            "created_at": rfc3339(link.created_at),
            "last_opened_at": _rfc3339_or_none(link.last_opened_at),
            **self.limits(link),
            **self.snippets(link),
        }

    def limits(self, link: DirectLink) -> dict[str, Any]:
        """Return the state of a link and its limits."""
        shown: dict[str, Any] = {"state": link.state(self.now).name.lower()}
        for name in EDITABLE_FIELDS:
            key, show = _SHOWN.get(name, (name, _as_it_is))
            shown[key] = show(getattr(link, name))
        return shown

    def file(self, file: File, *, path: str) -> dict[str, Any]:
        """Return a file as the protocol shows it; fields that this server lacks are empty.

        Its ``path`` is the URI as the user wrote it, or would write it.
        """
        return {
            "type": 0,
            "id": str(file.pk),
            "name": file.name,
            "created_at": rfc3339(file.created_at),
            "updated_at": rfc3339(file.updated_at),
            "size": file.size,
            "metadata": {},
            "path": path,
            "capability": _CAPABILITY,
            "owned": file.owner_id == self.user.pk,
            "primary_entity": file.version,
        }

    def folder(self, folder: Folder, *, path: str) -> dict[str, Any]:
        """Return a folder as the protocol shows it. It has no row, so its id finds nothing."""
        return {
            "type": 1,
            "id": paths.key(f"{folder.owner}/{folder.path}")[:22],
            "name": paths.name(folder.path),
            "created_at": rfc3339(folder.created_at),
            "updated_at": rfc3339(folder.updated_at),
            "size": 0,
            "metadata": {},
            "path": path,
            "capability": _CAPABILITY,
            "owned": folder.owner == self.user.pk,
            "primary_entity": "",
        }

    def extended_info(self, file: File, links: Iterable[DirectLink]) -> dict[str, Any]:
        """Return the extended info of a file; ``direct_links`` is absent if there are none."""
        info: dict[str, Any] = {"storage_used": file.size}
        if shown := [self._short(link) for link in links]:
            info["direct_links"] = shown
        return info

    def _short(self, link: DirectLink) -> dict[str, Any]:
        whole = self.link(link)
        return {name: whole[name] for name in ("id", "url", "downloaded", "created_at")}

    def url(self, link: DirectLink) -> str:
        return self.address(str(link.code), str(link.name))

    def file_url(self, file: File) -> str:
        """Return the file's URI as the reader would write it."""
        if file.owner_id is None:
            return file_url(file.path, SITE)
        return file_url(file.path, None if file.owner_id == self.user.pk else str(file.owner_id))

    def snippets(self, link: DirectLink) -> dict[str, Any]:
        if not self.with_snippets:
            return {}
        url, content_type = self.url(link), link.file.content_type
        return {"snippets": snippets(url, link.name, content_type, ask_first=link.ask_first)}


def usage(statistics: Statistics) -> dict[str, Any]:
    """Return the statistics of a link."""
    return {
        "downloaded": statistics.total,
        "last_opened_at": _rfc3339_or_none(statistics.last_opened_at),
        "days": [
            {"day": day.isoformat(), "downloaded": downloads}
            for day, downloads in statistics.days.items()
        ],
    }


def _rfc3339_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _as_it_is(value: Any) -> Any:
    return value


# Limits that are shown otherwise than they are stored, and under which names.
_SHOWN: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "not_before": ("not_before", _rfc3339_or_none),
    "expires_at": ("expires_at", _rfc3339_or_none),
    "password": ("has_password", bool),
    "referers": ("referers", referers.hosts),
}
