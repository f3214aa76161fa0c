"""The links: where they lead, who made them, how they are used; limit and revoke them."""

import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Value
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.core import codes
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.querysets import DirectLinkQuerySet

_ADDRESS = re.compile(rf"/f/(?:d/)?({codes.PATTERN})/")
_LIMITS = ("not_before", "expires_at", "max_downloads", "paused")
_IDENTITY = ("name", "address", "file", "owner", "state")
_FACTS = ("downloads", "created_by", "created_at", "last_opened_at")


class RevokedFilter(admin.SimpleListFilter):
    title = _("revocation")
    parameter_name = "revoked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Not revoked")), ("yes", _("Revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(revoked_at__isnull=self.value() == "no")


@admin.register(DirectLink)
class DirectLinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Links are made on the page of files, so that each has a file that exists."""

    list_display = ("path", "address", "state", "owner", *_FACTS)
    fields = (*_IDENTITY, *_FACTS, "revoked_at", *_LIMITS)
    readonly_fields = (*_IDENTITY, *_FACTS, "revoked_at")
    list_filter = (RevokedFilter, "paused", "created_at", "last_opened_at")
    list_select_related = ("file__owner", "created_by")
    ordering = ("-pk",)
    search_help_text = _("Search by address, code, name, path or owner.")
    actions = ("revoke_links",)
    # Opening a link counts, and its address is on the page.
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DirectLink]:
        files = site_policy().filter(request.user, File.objects.all())
        # An address begins with the request's host, which a column of the list is not told.
        site = addresses.absolute("", request)
        links: QuerySet[DirectLink] = DirectLink.objects.filter(file__in=files)
        return links.annotate(site=Value(site))

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        owner = f"file__owner__{get_user_model().USERNAME_FIELD}"
        return ("code", "name", "file__path", owner)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What is at hand is often the whole address, of which the code is enough."""
        address = _ADDRESS.search(search_term)
        if address is not None:
            search_term = address[1]
        return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(
        self, request: HttpRequest, obj: DirectLink | None = None
    ) -> tuple[str, ...]:
        """Revoking is for good, so the limits of a revoked link are history."""
        revoked = obj is not None and obj.revoked_at is not None
        return (*self.readonly_fields, *(_LIMITS if revoked else ()))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: DirectLink,
        form: "ModelForm[DirectLink]",
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        obj.save(update_fields=form.changed_data)

    @admin.display(description=_("path"), ordering="file__path")
    def path(self, link: DirectLink) -> str:
        return str(link.file.path)

    @admin.display(description=_("address"))
    def address(self, link: Any) -> SafeString:
        """The whole address, to be copied or followed; it may wrap, which a copy does not show."""
        url = link.site + link.get_absolute_url()
        parts = ((url[start : start + 24],) for start in range(0, len(url), 24))
        shown = format_html_join(mark_safe("<wbr>"), "{}", parts)
        return format_html('<a href="{}">{}</a>', url, shown)

    @admin.display(description=_("owner"))
    def owner(self, link: DirectLink) -> str:
        return str(link.file.owner)

    @admin.display(description=_("state"))
    def state(self, link: DirectLink) -> str:
        return link.state(timezone.now()).value

    @admin.action(description=_("Revoke selected links for good"), permissions=["change"])
    def revoke_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> None:
        count = queryset.revoke(timezone.now())
        told = ngettext("%d link was revoked.", "%d links were revoked.", count)
        self.message_user(request, told % count, messages.SUCCESS if count else messages.WARNING)
