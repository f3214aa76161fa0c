"""The links: where they lead, who made them, how they are used; limit and revoke them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Value
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.querysets import DirectLinkQuerySet

_LIMITS = ("not_before", "expires_at", "max_downloads", "paused")
_FACTS = ("created_by", "created_at", "downloads", "last_opened_at")


@admin.register(DirectLink)
class DirectLinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Links are made on the page of files, so that each has a file that exists."""

    list_display = ("name", "address", "owner", "state", *_FACTS)
    fields = ("name", "address", "file", "owner", "state", *_FACTS, *_LIMITS)
    readonly_fields = ("name", "address", "file", "owner", "state", *_FACTS)
    list_filter = (
        ("revoked_at", admin.EmptyFieldListFilter),
        "paused",
        "created_at",
        "last_opened_at",
    )
    list_select_related = ("file__owner", "created_by")
    ordering = ("-pk",)
    search_help_text = _("Search by code, name, path or owner.")
    actions = ("revoke_links",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DirectLink]:
        files = site_policy().filter(request.user, File.objects.all())
        # An address begins with the request's host, which a column of the list is not told.
        site = addresses.absolute("", request)
        links: QuerySet[DirectLink] = DirectLink.objects.filter(file__in=files)
        return links.annotate(site=Value(site))

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        owner = f"file__owner__{get_user_model().USERNAME_FIELD}"
        return ("code", "name", "file__path", owner)

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

    @admin.display(description=_("address"))
    def address(self, link: Any) -> SafeString:
        """The whole address, to be copied or followed."""
        return format_html('<a href="{0}">{0}</a>', link.site + link.get_absolute_url())

    @admin.display(description=_("owner"))
    def owner(self, link: DirectLink) -> str:
        return str(link.file.owner)

    @admin.display(description=_("state"))
    def state(self, link: DirectLink) -> str:
        return link.state(timezone.now()).value

    @admin.action(description=_("Revoke selected links for good"), permissions=["change"])
    def revoke_links(self, request: HttpRequest, queryset: DirectLinkQuerySet) -> None:
        count = queryset.revoke(timezone.now())
        self.message_user(
            request, ngettext("%d link was revoked.", "%d links were revoked.", count) % count
        )
