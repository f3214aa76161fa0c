"""Who did what to links, as Django's admin keeps it, also of what came through the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from directlinks.models import DirectLink
from directlinks.querysets import DirectLinkQuerySet
from directlinks.services.history import RESUMED, message_of
from directlinks.users import users

_SHOWN = 20
# How many entries of all links are read to find some of those that the user may see.
_READ = 300


@dataclass(frozen=True, slots=True)
class Deed:
    at: datetime
    by: str
    what: str
    link: DirectLink


def history_of(link: DirectLink) -> list[Deed]:
    """The last deeds on ``link``, the latest first, and how it began."""
    entries = _entries().filter(object_id=str(link.pk))[:_SHOWN]
    return [*(_deed(entry, link) for entry in entries), _beginning(link)]


def recent_deeds(links: DirectLinkQuerySet, number: int) -> list[Deed]:
    """The last ``number`` deeds on any of ``links``, at most; three statements."""
    entries = list(_entries()[:_READ])
    keys = {entry.object_id for entry in entries}
    found = {str(link.pk): link for link in links.filter(pk__in=keys)}
    deeds = [_deed(entry, found[entry.object_id]) for entry in entries if entry.object_id in found]
    # Not by their keys: what was imported began long ago.
    newest = links.select_related("created_by").order_by("-created_at", "-pk")
    deeds += map(_beginning, newest[:number])
    return sorted(deeds, key=attrgetter("at"), reverse=True)[:number]


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused links, and in which minute: what one action did is the same to the reader."""

    at: datetime
    by: str

    @property
    def key(self) -> str:
        return f"{self.at:%Y%m%dT%H%M} {self.by}"


def last_pauses(links: Iterable[DirectLink]) -> dict[str, Pause]:
    """Return the last pause of each of ``links`` that history knows of, by the link's key as text.

    One statement.
    """
    # Read from the database of the write, as it decides what is resumed. Other fields than "paused"
    # may have been changed at the same time.
    entries = _entries().using(users().db)
    entries = entries.filter(
        object_id__in=[str(link.pk) for link in links], change_message__contains='"paused"'
    )
    return {
        entry.object_id: Pause(entry.action_time.replace(second=0, microsecond=0), str(entry.user))
        for entry in entries.order_by("pk")
    }


def _beginning(link: DirectLink) -> Deed:
    creator = "" if link.created_by is None else str(link.created_by)
    return Deed(link.created_at, creator, gettext("Created."), link)


def _entries() -> Any:
    kind = ContentType.objects.get_for_model(DirectLink)
    # The order of the keys is that of the deeds, and an index knows it.
    return LogEntry.objects.filter(content_type=kind).select_related("user").order_by("-pk")


def _deed(entry: LogEntry, link: DirectLink) -> Deed:
    what = _sentences().get(entry.change_message) or entry.get_change_message() or str(entry)
    return Deed(entry.action_time, str(entry.user), str(what), link)


@cache
def _sentences() -> dict[str, Any]:
    """What was done that is more than a changed field, by the message that admin keeps."""
    return {
        message_of(["paused"]): _("Paused."),
        message_of([RESUMED]): _("Resumed."),
        message_of(["revoked_at"]): _("Revoked."),
        message_of(["code"]): _("Got a new address."),
    }
