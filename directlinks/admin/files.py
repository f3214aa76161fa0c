"""The files: upload, replace, rename, trash and restore, and links for those selected."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.fields import ContentField
from directlinks.models import File
from directlinks.policies import site_policy
from directlinks.querysets import FileQuerySet
from directlinks.services.creating import links_for
from directlinks.storage import lacks_bytes

# More addresses than these would bury the message; the list of links shows them all.
_SHOWN_ADDRESSES = 10


class TrashFilter(admin.SimpleListFilter):
    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Live")), ("yes", _("In the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() == "no")


@admin.register(File)
class FileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("path", "owner", "human_size", "content_type", "is_live", "links", "updated_at")
    list_filter = (TrashFilter, "content_updated_at")
    list_select_related = ("owner",)
    ordering = ("-pk",)
    search_help_text = _("Search by path or owner.")
    fields = (
        "owner",
        "path",
        "content",
        "content_type",
        "human_size",
        "created_at",
        "updated_at",
        "content_updated_at",
        "deleted_at",
    )
    readonly_fields = (
        "human_size",
        "created_at",
        "updated_at",
        "content_updated_at",
        "deleted_at",
    )
    raw_id_fields = ("owner",)
    # The usual widget links to the storage's own URL, which is not what visitors are given.
    formfield_overrides = {ContentField: {"widget": forms.FileInput}}
    actions = ("create_links", "trash_files", "restore_files")

    def get_queryset(self, request: HttpRequest) -> FileQuerySet:
        files = site_policy().filter(request.user, File.objects.all())
        not_revoked = Q(links__isnull=False, links__revoked_at__isnull=True)
        counted: FileQuerySet = files.annotate(link_count=Count("links", filter=not_revoked))
        return counted

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("path", f"owner__{get_user_model().USERNAME_FIELD}")

    @admin.display(description=_("size"), ordering="size")
    def human_size(self, file: File) -> str:
        return filesizeformat(file.size)

    @admin.display(description=_("live"), boolean=True, ordering="deleted_at")
    def is_live(self, file: File) -> bool:
        return file.is_live

    @admin.display(description=_("links"), ordering="link_count")
    def links(self, file: Any) -> int:
        return int(file.link_count)

    def has_create_link_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("directlinks.add_directlink")

    @admin.action(description=_("Create direct links"), permissions=["create_link"])
    def create_links(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        files = [file for file in queryset if file.is_live and not lacks_bytes(file.content)]
        links = links_for(files, created_by=request.user)
        if links:
            urls = [addresses.absolute(link.get_absolute_url(), request) for link in links.values()]
            ready = ngettext("%d direct link is ready:", "%d direct links are ready:", len(urls))
            lines = format_html_join(
                "", '<br><a href="{0}">{0}</a>', ((url,) for url in urls[:_SHOWN_ADDRESSES])
            )
            more = mark_safe("<br>…") if len(urls) > _SHOWN_ADDRESSES else ""
            self.message_user(request, format_html("{}{}{}", ready % len(urls), lines, more))
        if skipped := len(queryset) - len(links):
            self.message_user(
                request,
                ngettext(
                    "%d file has no link: it is in the trash or its bytes are missing.",
                    "%d files have no link: they are in the trash or their bytes are missing.",
                    skipped,
                )
                % skipped,
                messages.WARNING,
            )

    @admin.action(description=_("Move to the trash"), permissions=["change"])
    def trash_files(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        keys = [file.pk for file in queryset]
        count = File.objects.filter(pk__in=keys).trash(timezone.now())
        self.message_user(
            request, ngettext("%d file was trashed.", "%d files were trashed.", count) % count
        )

    @admin.action(description=_("Restore from the trash"), permissions=["change"])
    def restore_files(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        restored = 0
        for file in queryset.trashed():
            try:
                file.restore()
            except ValidationError as error:
                told = _("“%(path)s” stays in the trash. %(fault)s")
                words = {"path": file.path, "fault": " ".join(error.messages)}
                self.message_user(request, told % words, messages.ERROR)
            else:
                restored += 1
        self.message_user(
            request,
            ngettext("%d file was restored.", "%d files were restored.", restored) % restored,
        )
