"""What pages of the admin share: visible rows, columns, states, and the history of a link."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from directlinks.admin.charts import sparkline
from directlinks.conf import conf
from directlinks.core import codes
from directlinks.core.links import LinkState
from directlinks.core.uris import SITE
from directlinks.datetimes import as_clock
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.querysets import DirectLinkQuerySet, FileQuerySet, is_everything
from directlinks.services.history import RESUMED, message_of
from directlinks.users import users

TITLES = {
    LinkState.ACTIVE: _("Active"),
    LinkState.NOT_YET: _("Not yet"),
    LinkState.PAUSED: _("Paused"),
    LinkState.EXPIRED: _("Expired"),
    LinkState.USED_UP: _("Used up"),
    LinkState.OWNER_INACTIVE: _("Owner inactive"),
    LinkState.TRASHED: _("Trashed"),
    LinkState.REVOKED: _("Revoked"),
}
"""In the order in which people look for them: what opens, what may open again, what is dead."""


def slug(state: LinkState) -> str:
    """Return the state as it is written in URLs and names of CSS classes."""
    return state.name.lower().replace("_", "-")


def badge(state: LinkState) -> SafeString:
    """Return the state as a word in its colour, since colour alone is not accessible."""
    return format_html('<span class="dl-badge dl-{}">{}</span>', slug(state), str(TITLES[state]))


def visible_files(user: Any) -> FileQuerySet:
    """Return each file once, even if the policy's query joins other tables."""
    files = site_policy().filter(user, File.objects.all())
    return files if is_everything(files) else File.objects.filter(pk__in=files.values("pk"))


def visible_links(user: Any) -> DirectLinkQuerySet:
    """Return the links of ``visible_files``, without a slow condition if these are all files."""
    files, links = visible_files(user), DirectLink.objects.all()
    return links if is_everything(files) else links.filter(file__in=files)


def may_create_links(user: Any) -> bool:
    """Return False if BATCH_SIZE is 0, which switches creating links off in the admin too."""
    return bool(conf.BATCH_SIZE) and user.has_perm("directlinks.add_directlink")


def copy_button(text: str, name: str) -> SafeString:
    """Return a button that copies ``text``; ``name`` is its label for screen readers.

    It is hidden if scripts are disabled.
    """
    return format_html(
        '<button type="button" class="dl-copy" data-copy="{}" data-copied="{}" data-failed="{}"'
        ' aria-label="{}"'
        " hidden>{}</button>",
        text,
        gettext("Copied"),
        gettext("Not copied: press Ctrl+C or ⌘C"),
        gettext("Copy: %(name)s") % {"name": name},
        gettext("Copy"),
    )


def owner_label(file: File) -> str:
    """Return what people read as the owner of ``file``."""
    return gettext("the site") if file.owner is None else str(file.owner)


def which(link: DirectLink) -> SafeString:
    """Return what tells ``link`` from others of the same name: code, owner, path and label."""
    parts = [codes.shortened(link.code), owner_label(link.file), link.file.path, link.label]
    return format_html('<span class="dl-label">{}</span>', " · ".join(filter(None, parts)))


def owner_page(site: Any, link: DirectLink) -> SafeString:
    """Return the owner of the file of ``link``, linked to all links of that owner."""
    return format_html(
        '<a href="{}?owner={}">{}</a>',
        page_address(site, DirectLink, "changelist"),
        SITE if link.file.owner_id is None else link.file.owner_id,
        owner_label(link.file),
    )


def page_address(site: Any, model: type[Model], page: str, *keys: Any) -> str | None:
    """Return the address of a page about ``model`` in the admin ``site``, None if it has none."""
    if not site.is_registered(model):
        return None
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(place, args=keys, current_app=site.name)


class LinkColumns(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Columns of links, which have their ``site`` and in lists their ``recent`` downloads."""

    @admin.display(description=_("name"), ordering="name")
    def link(self, link: DirectLink) -> SafeString:
        label = format_html(' <span class="dl-label">{}</span>', link.label) if link.label else ""
        return format_html("{}{}", link.name, label)

    @admin.display(description=_("address"))
    def short_address(self, link: Any) -> SafeString:
        url = link.site + link.get_absolute_url()
        return format_html(
            '<span class="dl-address"><a href="{}">{}</a> {}</span>',
            url,
            codes.shortened(link.code),
            copy_button(url, link.name),
        )

    @admin.display(description=_("address"))
    def address(self, link: Any) -> SafeString:
        """Return the whole address, to be copied or followed; it may wrap on the page."""
        url = link.site + link.get_absolute_url()
        parts = ((url[start : start + 24],) for start in range(0, len(url), 24))
        shown = format_html_join(mark_safe("<wbr>"), "{}", parts)
        return format_html('<a href="{}">{}</a> {}', url, shown, copy_button(url, link.name))

    @admin.display(description=_("state"))
    def state(self, link: DirectLink) -> SafeString:
        return badge(link.state(timezone.now()))

    @admin.display(description=_("last 30 days"))
    def last_days(self, link: Any) -> SafeString:
        return sparkline(link.recent)

    @admin.display(description=_("last opened"), ordering="last_opened_at", empty_value="-")
    def opened(self, link: DirectLink) -> str | None:
        if link.last_opened_at is None:
            return None
        return date_format(as_clock(link.last_opened_at), "SHORT_DATE_FORMAT")

    @admin.display(description=_("owner"), ordering="file__owner")
    def owner(self, link: DirectLink) -> SafeString:
        return owner_page(self.admin_site, link)

    @admin.display(description=_("file"), ordering="file__path")
    def file_page(self, link: DirectLink) -> SafeString:
        page = page_address(self.admin_site, File, "change", link.file_id)
        if page is None:
            return format_html('<span class="dl-path">{}</span>', link.file.path)
        return format_html('<a class="dl-path" href="{}">{}</a>', page, link.file.path)

    @admin.display(description=_("asks for a password"), boolean=True)
    def has_password(self, link: DirectLink) -> bool:
        return bool(link.password)


_SHOWN = 20
# How many entries of all links are read to find some of those that the user may see.
_READ = 300


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of a link's history."""

    at: datetime
    by: str
    what: str
    link: DirectLink


def history_of(link: DirectLink) -> list[HistoryEntry]:
    """Return the last changes of ``link``, the latest first, and its creation."""
    entries = _entries().filter(object_id=str(link.pk))[:_SHOWN]
    return [*(_history_entry(entry, link) for entry in entries), _beginning(link)]


def recent_history(links: DirectLinkQuerySet, number: int) -> list[HistoryEntry]:
    """Return up to ``number`` last changes of any of ``links``. Three statements."""
    entries = list(_entries()[:_READ])
    keys = {entry.object_id for entry in entries}
    found = {str(link.pk): link for link in links.filter(pk__in=keys)}
    entries = [
        _history_entry(entry, found[entry.object_id])
        for entry in entries
        if entry.object_id in found
    ]
    # Not by their keys: what was imported began long ago.
    newest = links.select_related("created_by").order_by("-created_at", "-pk")
    entries += map(_beginning, newest[:number])
    return sorted(entries, key=attrgetter("at"), reverse=True)[:number]


@dataclass(frozen=True, slots=True)
class Pause:
    """The user who paused links and the minute, which is the same for all links of one action."""

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


def _beginning(link: DirectLink) -> HistoryEntry:
    creator = "" if link.created_by is None else str(link.created_by)
    return HistoryEntry(link.created_at, creator, gettext("Created."), link)


def _entries() -> Any:
    kind = ContentType.objects.get_for_model(DirectLink)
    # The order of the keys is that of the entries, and an index knows it.
    return LogEntry.objects.filter(content_type=kind).select_related("user").order_by("-pk")


def _history_entry(entry: LogEntry, link: DirectLink) -> HistoryEntry:
    what = _sentences().get(entry.change_message) or entry.get_change_message() or str(entry)
    return HistoryEntry(entry.action_time, str(entry.user), str(what), link)


@cache
def _sentences() -> dict[str, Any]:
    """Return the sentence for each admin message that is more than a changed field."""
    return {
        message_of(["paused"]): _("Paused."),
        message_of([RESUMED]): _("Resumed."),
        message_of(["revoked_at"]): _("Revoked."),
        message_of(["code"]): _("Address changed."),
    }
