"""The files: upload, replace, rename, trash and restore, and links for those selected."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.admin.forms import FileForm
from directlinks.conf import conf
from directlinks.models import File
from directlinks.policies import site_policy
from directlinks.querysets import FileQuerySet
from directlinks.services.creating import links_for
from directlinks.storage import lacks_bytes

# More addresses than these would bury the message; the list of links shows them all.
_SHOWN_ADDRESSES = 10

_FACTS = ("human_size", "created_at", "updated_at", "content_updated_at", "deleted_at")


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
    form = FileForm
    readonly_fields = _FACTS
    raw_id_fields = ("owner",)
    actions = ("create_links", "trash_files", "restore_files")

    def get_form(
        self,
        request: HttpRequest,
        obj: File | None = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.asked_by = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: File | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("owner", "path", "content", "content_type")
        # Shown to somebody who cannot change it, a content would be a link to the storage.
        content = ("content",) if self.has_change_permission(request, obj) else ()
        return ("owner", "path", *content, "content_type", *_FACTS)

    def get_queryset(self, request: HttpRequest) -> FileQuerySet:
        files = site_policy().filter(request.user, File.objects.all())
        not_revoked = Q(links__isnull=False, links__revoked_at__isnull=True)
        counted: FileQuerySet = files.annotate(link_count=Count("links", filter=not_revoked))
        return counted

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("path", f"owner__{get_user_model().USERNAME_FIELD}")

    def save_model(
        self,
        request: HttpRequest,
        obj: File,
        form: FileForm,
        change: bool,  # noqa: FBT001  # Django's signature
    ) -> None:
        """Write what the form changed and nothing else: others may have changed the rest."""
        obj.save(update_fields=form.changed_data if change else None)

    @admin.display(description=_("size"), ordering="size")
    def human_size(self, file: File) -> str:
        return filesizeformat(file.size)

    @admin.display(description=_("live"), boolean=True, ordering="deleted_at")
    def is_live(self, file: File) -> bool:
        return file.is_live

    @admin.display(description=_("links"), ordering="link_count")
    def links(self, file: Any) -> SafeString:
        """How many there are, leading to them."""
        page = reverse("admin:directlinks_directlink_changelist", current_app=self.admin_site.name)
        return format_html('<a href="{}?file__id__exact={}">{}</a>', page, file.pk, file.link_count)

    def has_create_link_permission(self, request: HttpRequest) -> bool:
        """BATCH_SIZE = 0 switches creating links off, here as well."""
        return bool(conf.BATCH_SIZE) and request.user.has_perm("directlinks.add_directlink")

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
        # The list counts links by a join, and MySQL updates no table that it joins.
        keys = [file.pk for file in queryset]
        count = File.objects.filter(pk__in=keys).trash(timezone.now())
        told = ngettext("%d file was trashed.", "%d files were trashed.", count)
        self.message_user(request, told % count, _level(count))

    @admin.action(description=_("Restore from the trash"), permissions=["change"])
    def restore_files(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        restored = 0
        for file in queryset.trashed():
            try:
                file.restore()
            except ValidationError as error:
                words = {"path": file.path, "fault": " ".join(error.messages)}
                sentence = _("“%(path)s” stays in the trash. %(fault)s") % words
                self.message_user(request, sentence, messages.ERROR)
            else:
                restored += 1
        told = ngettext("%d file was restored.", "%d files were restored.", restored)
        self.message_user(request, told % restored, _level(restored))


def _level(count: int) -> int:
    """An action that changed nothing is no success."""
    return messages.SUCCESS if count else messages.WARNING
