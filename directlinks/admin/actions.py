"""Actions on many links: each asks for confirmation and reports how many links it changed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from directlinks import addresses
from directlinks.admin.base import Pause, last_pauses, owner_label, page_address, which
from directlinks.core.links import LIMITS, WORDS
from directlinks.core.records import csv_writer, escape_cell
from directlinks.datetimes import as_clock, in_utc
from directlinks.models import DirectLink
from directlinks.querysets import DirectLinkQuerySet, in_batches
from directlinks.services.changing import (
    extend_direct_links,
    pause_direct_links,
    resume_direct_links,
    rotate_direct_links,
)
from directlinks.services.revoking import revoke_all

_ROWS_AT_ONCE = 2000
COLUMNS = (
    "url",
    "code",
    "name",
    "path",
    "owner",
    "state",
    "downloads",
    "last_opened_at",
    "created_by",
    "created_at",
    *(limit.name for limit in LIMITS),
    "revoked_at",
    *WORDS,
)


class _Echo:
    """A file whose lines come out as they go in."""

    def write(self, line: str) -> str:
        return line


def csv_response(links: DirectLinkQuerySet, *, site: str, now: datetime) -> StreamingHttpResponse:
    """Return ``links`` as CSV, row by row; their addresses begin with ``site``.

    A password is shown only as yes or no. The byte order mark tells Excel that this is UTF-8.
    """
    answer = StreamingHttpResponse(_lines(links, site, now), content_type="text/csv; charset=utf-8")
    name = f"links-{as_clock(now):%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(links: DirectLinkQuerySet, site: str, now: datetime) -> Iterator[str]:
    writer = csv_writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(COLUMNS)
    everything = links.select_related("file__owner", "created_by")
    for link in everything.iterator(chunk_size=_ROWS_AT_ONCE):
        values = _values(link, site, now)
        yield writer.writerow([_cell(values[column]) for column in COLUMNS])


def _values(link: DirectLink, site: str, now: datetime) -> dict[str, Any]:
    return {
        **{column: getattr(link, column, None) for column in COLUMNS},
        "url": site + link.get_absolute_url(),
        "path": link.file.path,
        "owner": owner_label(link.file),
        "state": link.state(now).value,
        "created_by": None if link.created_by is None else str(link.created_by),
        "password": bool(link.password),
    }


def _cell(value: Any) -> str:
    """Return ``value`` for a spreadsheet, which must not take a text for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return in_utc(value).isoformat()
    return escape_cell(value) if isinstance(value, str) else str(value)


_SHOWN, _PAUSES = 10, 20
# How many are read and changed at a time: a whole list may be selected.
_AT_ONCE = 2000


class ActionForm(forms.Form):
    """Options of an action on ``links``."""

    def __init__(self, data: Any, *, links: DirectLinkQuerySet) -> None:
        super().__init__(data)
        self.links = links


class ResumeForm(ActionForm):
    """Asks which links to resume, if they were not all paused by one action."""

    pause = forms.ChoiceField(
        label=_("Which"),
        required=False,
        help_text=_("Links that were paused earlier for another reason may have to stay paused."),
    )

    def __init__(self, data: Any, *, links: DirectLinkQuerySet) -> None:
        super().__init__(data, links=links)
        pauses: Counter[Pause | None] = Counter()
        for paused in in_batches(links.filter(paused=True), _AT_ONCE):
            known = last_pauses(paused)
            pauses.update(known.get(str(link.pk)) for link in paused)
        # The latest first, to undo an action that was a mistake.
        latest = sorted(pauses, key=lambda pause: (pause is not None, pause and pause.at))[::-1]
        field: Any = self.fields["pause"]
        field.choices = [
            *((_key_of(pause), _pause_label(pause, pauses[pause])) for pause in latest[:_PAUSES]),
            ("", _("All")),
        ]
        field.initial = field.choices[0][0]
        if len(pauses) < 2:
            del self.fields["pause"]


def _key_of(pause: Pause | None) -> str:
    return "unknown" if pause is None else pause.key


def _pause_label(pause: Pause | None, number: int) -> str:
    """Return how many links were paused, by whom and when."""
    if pause is None:
        message = ngettext(
            "%d link paused at an unknown time", "%d links paused at an unknown time", number
        )
        return message % number
    message = ngettext(
        "%(number)d link paused by %(who)s, %(when)s",
        "%(number)d links paused by %(who)s, %(when)s",
        number,
    )
    when = date_format(as_clock(pause.at), "DATETIME_FORMAT")
    return message % {"number": number, "who": pause.by, "when": when}


class ExtendForm(ActionForm):
    """Ask by how long to extend links."""

    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=3650,
        initial=30,
        help_text=_("Added to the end of each link; for one that has expired, to this moment."),
    )


class RotateForm(ActionForm):
    """Ask for how long the old codes keep working."""

    hours = forms.IntegerField(
        label=_("Grace period (hours)"),
        min_value=0,
        max_value=8760,
        initial=0,
        help_text=_("How long the old addresses keep working. 0 stops them immediately."),
    )


@dataclass(frozen=True, slots=True)
class Verb:
    """An action on links: its form, what it does, and the message that follows."""

    action: str
    title: Any
    meaning: Any
    button: Any
    run: Callable[..., int]
    done: Any
    form: type[ActionForm] = ActionForm
    is_final: bool = False


def _resume(links: Sequence[DirectLink], *, user: Any, pause: str = "") -> int:
    if pause:
        known = last_pauses(links)
        links = [link for link in links if _key_of(known.get(str(link.pk))) == pause]
    return resume_direct_links(links, user=user)


def _extend(links: Sequence[DirectLink], *, user: Any, days: int) -> int:
    life = timedelta(days=days)
    return extend_direct_links(links, life=life, user=user, now=timezone.now())


def _revoke(links: Sequence[DirectLink], *, user: Any) -> int:
    standing = [link for link in links if link.revoked_at is None]
    return revoke_all(standing, user=user, now=timezone.now())


def _rotate(links: Sequence[DirectLink], *, user: Any, hours: int) -> int:
    grace = timedelta(hours=hours) if hours else None
    return rotate_direct_links(links, grace=grace, user=user, now=timezone.now())


PAUSE = Verb(
    "pause_links",
    _("Pause links"),
    _("A paused link does not open until it is resumed."),
    _("Pause"),
    pause_direct_links,
    ngettext_lazy("%d link was paused.", "%d links were paused."),
)
RESUME = Verb(
    "resume_links",
    _("Resume links"),
    _("A resumed link opens again, unless another limit holds it back."),
    _("Resume"),
    _resume,
    ngettext_lazy("%d link was resumed.", "%d links were resumed."),
    ResumeForm,
)
EXTEND = Verb(
    "extend_links",
    _("Extend links"),
    _("Postpones the expiry of the selected links. Links that never expire are not changed."),
    _("Extend"),
    _extend,
    ngettext_lazy("%d link was extended.", "%d links were extended."),
    ExtendForm,
)
REVOKE = Verb(
    "revoke_links",
    _("Revoke links for good"),
    _("A revoked link never opens again. You cannot undo this."),
    _("Revoke for good"),
    _revoke,
    ngettext_lazy("%d link was revoked.", "%d links were revoked."),
    is_final=True,
)
ROTATE = Verb(
    "rotate_links",
    _("Give links new addresses"),
    _("Each link gets a new code and keeps its limits and its statistics."),
    _("Give new addresses"),
    _rotate,
    ngettext_lazy("%d link has a new address.", "%d links have new addresses."),
    RotateForm,
)


class LinkActions(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Actions of the list of links."""

    actions = (
        "pause_links",
        "resume_links",
        "extend_links",
        "rotate_links",
        "revoke_links",
        "export_links",
    )

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> Any:
        return self._do(PAUSE, request, queryset)

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> Any:
        return self._do(RESUME, request, queryset)

    @admin.action(description=_("Extend …"), permissions=["change"])
    def extend_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> Any:
        return self._do(EXTEND, request, queryset)

    @admin.action(description=_("Give new addresses …"), permissions=["change"])
    def rotate_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> Any:
        return self._do(ROTATE, request, queryset)

    @admin.action(description=_("Revoke for good"), permissions=["change"])
    def revoke_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> Any:
        return self._do(REVOKE, request, queryset)

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export_links(
        self, request: HttpRequest, queryset: DirectLinkQuerySet
    ) -> StreamingHttpResponse:
        # Nothing changes, so nothing is asked.
        site = addresses.absolute("", request)
        return csv_response(queryset, site=site, now=timezone.now())

    def _do(self, verb: Verb, request: HttpRequest, queryset: DirectLinkQuerySet) -> HttpResponse:
        """Show the confirmation page with its form, or run the action if it was confirmed."""
        confirmed = "confirmed" in request.POST
        form = verb.form(request.POST if confirmed else None, links=queryset)
        if not confirmed or not form.is_valid():
            return self._question(verb, form, request, queryset)
        selected = changed = 0
        for links in in_batches(queryset, _AT_ONCE):
            selected += len(links)
            changed += verb.run(links, user=request.user, **form.cleaned_data)
        level = messages.SUCCESS if changed else messages.WARNING
        self.message_user(request, verb.done % changed, level)
        if left := selected - changed:
            message = ngettext("%d link was not changed.", "%d links were not changed.", left)
            self.message_user(request, message % left, messages.INFO)
        return HttpResponseRedirect(self._back(request, request.POST.getlist(ACTION_CHECKBOX_NAME)))

    def _back(self, request: HttpRequest, selected: list[str]) -> str:
        """Return the page from which the action was started: that of the one link, or the list."""
        if "on_page" in request.POST and len(selected) == 1:
            return str(page_address(self.admin_site, DirectLink, "change", *selected))
        return request.get_full_path()

    def _question(
        self, verb: Verb, form: forms.Form, request: HttpRequest, queryset: DirectLinkQuerySet
    ) -> TemplateResponse:
        across = request.POST.get("select_across", "0")
        selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
        number = queryset.count()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": verb.title,
            "verb": verb,
            "form": form,
            "number": number,
            "shown": [(link, which(link)) for link in queryset.with_file()[:_SHOWN]],
            "unshown": max(number - _SHOWN, 0),
            "across": across,
            # Of a whole list, one row stands for all: Django wants to see a selection.
            "selected": selected[:1] if across == "1" else selected,
            "checkbox": ACTION_CHECKBOX_NAME,
            "on_page": "on_page" in request.POST,
            "back": self._back(request, selected),
        }
        request.current_app = self.admin_site.name  # for {% url %}
        return TemplateResponse(request, "directlinks/admin/confirm_action.html", context)
