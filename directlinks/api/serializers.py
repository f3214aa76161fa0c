"""What request bodies hold, and how results are shown."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework import serializers

from directlinks import addresses
from directlinks.conf import conf
from directlinks.models import DirectLink
from directlinks.services.creating import IssuedLink


class URIListField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of one or more strings, taken as they are."""

    default_error_messages = {
        "invalid": "Expected a list of strings.",
        "empty": "Expected one URI at least.",
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

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class CreateDirectLinksSerializer(serializers.Serializer[Any]):
    uris = URIListField()


class LoginSerializer(serializers.Serializer[Any]):
    """``email`` takes a user name too."""

    email = TextField()
    password = TextField(trim_whitespace=False, min_length=4, max_length=128)


class RefreshTokenSerializer(serializers.Serializer[Any]):
    refresh_token = TextField()


def issued_link(issued: IssuedLink, request: HttpRequest) -> dict[str, str]:
    """One item of the answer to PUT."""
    return {
        "link": link_url(issued.link, request),
        "file_url": issued.file_url,
    }


def link_url(link: DirectLink, request: HttpRequest) -> str:
    return addresses.absolute(link.get_absolute_url(), request)


def logged_in_user(user: Any, *, is_admin: bool) -> dict[str, Any]:
    """The account as existing clients read it; ``permission`` is a bit set in base64.

    A user model without a date of joining gives the beginning of Unix time: strict clients need
    one.
    """
    group: dict[str, Any] = {
        "id": "1" if is_admin else "2",
        "name": "Admin" if is_admin else "User",
        "permission": "/RoB" if is_admin else "hAg=",
    }
    if conf.BATCH_SIZE:
        group["direct_link_batch_size"] = min(conf.BATCH_SIZE, conf.MAX_BATCH_SIZE)
    return {
        "id": str(user.pk),
        "email": getattr(user, user.get_email_field_name(), ""),
        "nickname": getattr(user, "get_full_name", str)() or user.get_username(),
        "created_at": rfc3339(getattr(user, "date_joined", datetime.fromtimestamp(0, UTC))),
        "group": group,
    }


def rfc3339(moment: datetime) -> str:
    """``moment`` in UTC; a naive one is in the site's time zone."""
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
