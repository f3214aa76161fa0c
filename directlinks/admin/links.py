"""Admin of links: change their limits, pause and revoke them, see how they are used."""

from io import BytesIO
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from directlinks import addresses
from directlinks.admin.actions import LinkActions
from directlinks.admin.base import (
    LinkColumns,
    copy_button,
    history_of,
    may_create_links,
    visible_links,
    which,
)
from directlinks.admin.charts import chart_context
from directlinks.admin.dashboard import dashboard
from directlinks.admin.filters import (
    LinkChangeList,
    LinkPaginator,
    LinkSearch,
    OpenedFilter,
    OwnerFilter,
    StateFilter,
)
from directlinks.admin.forms import LinkForm
from directlinks.admin.pages import OwnPages
from directlinks.core.links import LIMITS, WORDS
from directlinks.core.snippets import snippets
from directlinks.datetimes import day_of
from directlinks.models import DirectLink
from directlinks.services.changing import change_direct_link
from directlinks.services.statistics import downloads_by_day, last_days

INSTALL = 'pip install "django-directlinks[qr]"'


def qr_code(text: str, title: str) -> SafeString | None:
    """Return ``text`` as an SVG QR code with this ``title``, or None if segno is not installed."""
    try:
        make = import_string("segno.make")
    except ImportError:
        return None
    drawn = BytesIO()
    # The quiet zone and its white are part of the code: without them a dark page is unreadable.
    make(text, micro=False).save(
        drawn,
        kind="svg",
        xmldecl=False,
        svgclass="dl-qr",
        lineclass=None,
        light="#fff",
        scale=4,
        title=title,
        omitsize=True,
        nl=False,
    )
    # All of it is written by segno, which escapes the title.
    return mark_safe(drawn.getvalue().decode().replace("<svg ", '<svg role="img" ', 1))  # noqa: S308


_TITLES = {
    "plain": _("Address"),
    "markdown": "Markdown",
    "html": "HTML",
    "bbcode": "BBCode",
    "curl": "curl",
}


def link_details(link: DirectLink, *, url: str) -> dict[str, Any]:
    """Return use, snippets, QR code, history and former codes of ``link`` at address ``url``."""
    today = day_of(timezone.now())
    days, counts = last_days(today), downloads_by_day([link.pk], today=today)[link.pk]
    pasted = snippets(url, str(link.name), link.file.content_type, ask_first=link.ask_first)
    return {
        **chart_context(days, counts),
        "snippets": [
            (_TITLES[kind], text, copy_button(text, str(_TITLES[kind])))
            for kind, text in pasted.items()
        ],
        "qr": qr_code(url, url),
        "qr_install": INSTALL,
        "history": history_of(link),
        "former_codes": link.former_codes.order_by("-pk"),
        "now": timezone.now(),
    }


_LIMITS = tuple(limit.name for limit in LIMITS if limit.name != "password")
_PASSWORD = ("new_password", "remove_password")
_IDENTITY = ("address", "state", "file_page", "owner")
_USE = ("downloads", "last_opened_at")


@admin.register(DirectLink)
class DirectLinkAdmin(OwnPages, LinkColumns, LinkSearch, LinkActions):
    """Links are made on the page of files, so that each has a file that exists."""

    list_display = (
        "link",
        "state",
        "owner",
        "downloads",
        "short_address",
        "last_days",
        "opened",
        "file_page",
    )
    list_filter = (StateFilter, OpenedFilter, OwnerFilter)
    list_select_related = ("file__owner",)
    readonly_fields = (*_IDENTITY, *_USE, "has_password")
    ordering = ("-pk",)
    # Counting all rows once more, only to say how many there are, is not worth its time.
    show_full_result_count = False
    paginator = LinkPaginator
    # Not Django's search_help_text, with which the field would have no name that can be seen.
    search_advice = _("Search by address, code, name, path, owner or label.")
    form = LinkForm
    # Opening a link counts, and its address is on the page.
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DirectLink]:
        # An address begins with the request's host, which a column of the list is not told.
        site = addresses.absolute("", request)
        links: QuerySet[DirectLink] = visible_links(request.user).annotate(site=Value(site))
        return links

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Lookups would reveal the hash, character by character.
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LinkChangeList]:
        return LinkChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_create": may_create_links(request.user), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.dashboard_view)
        own = path("dashboard/", view, name="directlinks_directlink_dashboard")
        return [own, *super().get_urls()]

    def dashboard_view(self, request: HttpRequest) -> HttpResponse:
        """Return the dashboard of the links that the user may see."""
        return dashboard(self, request)

    def described(self, one: DirectLink) -> SafeString:
        return format_html("{} {}", super().described(one), which(one))

    def get_fieldsets(self, request: HttpRequest, obj: DirectLink | None = None) -> Any:
        has_password = obj is not None and bool(obj.password)
        secret = _PASSWORD[: 1 + has_password] if self._is_editable(request, obj) else ()
        return (
            (None, {"fields": (*_IDENTITY, *_USE)}),
            (_("Limits"), {"fields": (*_LIMITS, "has_password", *secret)}),
            (_("Label and note"), {"fields": WORDS}),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: DirectLink | None = None
    ) -> tuple[str, ...]:
        """Return every limit of a revoked link too, since revoking is final."""
        return (*self.readonly_fields, *(() if self._is_editable(request, obj) else _LIMITS))

    def _is_editable(self, request: HttpRequest, link: DirectLink | None) -> bool:
        revoked = link is not None and link.revoked_at is not None
        return not revoked and self.has_change_permission(request, link)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        link = context["original"]
        context |= link_details(link, url=link.site + link.get_absolute_url())
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self,
        request: HttpRequest,
        obj: DirectLink,
        form: LinkForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        change_direct_link(obj, form.limits(), user=request.user, now=timezone.now())

    def log_change(self, request: HttpRequest, obj: DirectLink, message: Any) -> Any:
        """Log nothing: the services that change links write their own history."""
