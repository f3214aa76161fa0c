"""Admin of files: upload, replace, rename, trash and restore, and create links."""

import logging
from collections.abc import Collection
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.admin.base import (
    badge,
    copy_button,
    may_create_links,
    owner_label,
    page_address,
    visible_files,
)
from directlinks.admin.filters import BoundedSearch, TrashFilter
from directlinks.admin.forms import FileForm
from directlinks.admin.pages import OwnPages
from directlinks.core import codes
from directlinks.core.errors import ContentNotFound, StorageError
from directlinks.models import DirectLink, File
from directlinks.querysets import FileQuerySet
from directlinks.registry import registration_named
from directlinks.services.creating import issue_links
from directlinks.storage import lacks_bytes
from directlinks.storage_errors import storage_errors
from directlinks.users import users

# More addresses than these would bury the message; the list of links shows them all.
_SHOWN_ADDRESSES = 10
_SHOWN_LINKS = 50


class FileLinks(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Links of a file on its page, and the ways to create more of them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.create_link_view)
        own = path("<path:key>/create-link/", view, name="directlinks_file_create_link")
        return [own, *super().get_urls()]

    def has_create_link_permission(self, request: HttpRequest) -> bool:
        return may_create_links(request.user)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (file := context.get("original")) is not None:
            context |= self._link_context(file, request)
        return super().render_change_form(request, context, *args, **kwargs)

    def create_link_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Create a link to the file, or get its reusable one, and redirect to its page."""
        if not self.has_create_link_permission(request):
            raise PermissionDenied
        file = self.get_object(request, key) if request.method == "POST" else None
        if file is None:
            raise Http404
        if not self.has_view_permission(request, file):
            raise PermissionDenied
        links = _links_to([file], dedicated="dedicated" in request.POST, user=request.user)
        if link := links.get(file.pk):
            self.message_user(request, _("The direct link is ready."), messages.SUCCESS)
            if self.admin_site.is_registered(DirectLink):
                return self._to_page_of(DirectLink, link.pk)
        else:
            self._tell_skipped(request, 1)
        return self._to_page_of(File, file.pk)

    @admin.action(description=_("Create direct links"), permissions=["create_link"])
    def create_links(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        links = _links_to(list(queryset), dedicated=False, user=request.user)
        if links:
            urls = [addresses.absolute(link.get_absolute_url(), request) for link in links.values()]
            ready = ngettext("%d direct link is ready:", "%d direct links are ready:", len(urls))
            lines = format_html_join(
                "", '<br><a href="{0}">{0}</a>', ((url,) for url in urls[:_SHOWN_ADDRESSES])
            )
            more = mark_safe("<br>…") if len(urls) > _SHOWN_ADDRESSES else ""
            self.message_user(request, format_html("{}{}{}", ready % len(urls), lines, more))
        if skipped := len(queryset) - len(links):
            self._tell_skipped(request, skipped)

    def _tell_skipped(self, request: HttpRequest, number: int) -> None:
        message = ngettext(
            "%d file has no link: it is in the trash or its content is missing.",
            "%d files have no link: they are in the trash or their contents are missing.",
            number,
        )
        self.message_user(request, message % number, messages.WARNING)

    def _to_page_of(self, model: type[Model], key: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(page_address(self.admin_site, model, "change", key) or "")

    def _link_context(self, file: Any, request: HttpRequest) -> dict[str, Any]:
        """Return what the page of ``file`` shows beside its fields: links to permitted users."""
        context: dict[str, Any] = {
            "lacks_bytes": lacks_bytes(file.content),
            "may_create": file.is_live and self.has_create_link_permission(request),
            "sees_links": request.user.has_perm("directlinks.view_directlink")
            or request.user.has_perm("directlinks.change_directlink"),
        }
        if context["sees_links"]:
            links = DirectLink.objects.with_file().filter(file=file)
            context["number"] = links.count()
            context["links"] = [
                _row(link, request) for link in links.order_by("-pk")[:_SHOWN_LINKS]
            ]
        return context


def _row(link: DirectLink, request: HttpRequest) -> dict[str, Any]:
    url = addresses.absolute(link.get_absolute_url(), request)
    return {
        "link": link,
        "url": url,
        "code": codes.shortened(link.code),
        "copy": copy_button(url, str(link.name)),
        "badge": badge(link.state(timezone.now())),
    }


def _links_to(files: Collection[File], *, dedicated: bool, user: Any) -> dict[int, DirectLink]:
    """Return a link to each of ``files`` that visitors could open, by the file's key."""
    linkable = [file for file in files if file.is_live and not lacks_bytes(file.content)]
    return issue_links(
        linkable,
        limits={},
        dedicated=dedicated,
        limited_as=user,
        created_by=user,
        now=timezone.now(),
    )


logger = logging.getLogger("directlinks")

_FACTS = ("human_size", "created_at", "updated_at", "content_updated_at", "deleted_at")
# Each file costs a request to the storage, and a message has room for a few names.
_CHECKED, _NAMED = 1000, 10


@admin.register(File)
class FileAdmin(OwnPages, BoundedSearch, FileLinks):
    """Files, within what the site's policy lets the user see."""

    list_display = (
        "path",
        "owner_label",
        "human_size",
        "content_type",
        "is_live",
        "links",
        "updated_at",
    )
    list_filter = (TrashFilter, "content_updated_at")
    list_select_related = ("owner",)
    ordering = ("-pk",)
    # Not Django's search_help_text, with which the field would have no name that can be seen.
    search_advice = _("Search by path or owner.")
    form = FileForm
    readonly_fields = (*_FACTS, "source", "owner_label")
    raw_id_fields = ("owner",)
    actions = ("create_links", "check_bytes", "trash_files", "restore_files")

    def get_fields(self, request: HttpRequest, obj: File | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("owner", "path", "content", "content_type")
        if obj.source_key is not None:
            return ("source", "owner_label", "path", "content_type", *_FACTS)
        # To users without the change permission the field would show a link to the storage.
        content = ("content",) if self.has_change_permission(request, obj) else ()
        return ("owner", "path", *content, "content_type", *_FACTS)

    def has_change_permission(self, request: HttpRequest, obj: File | None = None) -> bool:
        """Return False for a file of another model, which follows its object."""
        return _is_own(obj) and super().has_change_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Refuse to delete files of other models here: they follow their objects."""
        listed, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        if not all(map(_is_own, objs)):
            perms_needed = {*perms_needed, _("file of another model")}
        return listed, counts, perms_needed, protected

    @admin.display(description=_("belongs to"))
    def source(self, file: File) -> SafeString:
        """Return the object whose file this is, linked to its page if the admin has one."""
        registration = registration_named(file.storage_alias)
        label = f"{file.storage_alias} {file.source_key}"
        page = registration and page_address(
            self.admin_site, registration.model, "change", file.source_key
        )
        return format_html('<a href="{}">{}</a>', page, label) if page else format_html("{}", label)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Find an owner where users are written: a replica may not know a new one."""
        return super().formfield_for_foreignkey(
            db_field, request, **{**kwargs, "using": users().db}
        )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Lookups would reveal where contents are stored.
        hidden = lookup.partition("__")[0] == "content"
        return not hidden and super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> FileQuerySet:
        # For each file by itself: only those that a page shows are counted.
        links = DirectLink.objects.filter(file=OuterRef("pk"), revoked_at__isnull=True)
        numbers = links.order_by().values("file").values(number=Count("pk"))
        counted: FileQuerySet = visible_files(request.user).annotate(
            link_count=Coalesce(Subquery(numbers), 0)
        )
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
        with storage_errors():
            obj.save(update_fields=form.changed_data if change else None)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Say what is wrong if the storage does not take an upload, and show the page once more."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (StorageError, ContentNotFound) as error:
            logger.error("The storage did not take an upload: %s", error.cause)  # noqa: TRY400  # one line
            message = _("The storage did not accept the file: %s") % error.cause
            self.message_user(request, message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    @admin.display(description=_("owner"), ordering="owner")
    def owner_label(self, file: File) -> str:
        return owner_label(file)

    @admin.display(description=_("size"), ordering="size")
    def human_size(self, file: File) -> str:
        return filesizeformat(file.size)

    @admin.display(description=_("live"), boolean=True, ordering="deleted_at")
    def is_live(self, file: File) -> bool:
        return file.is_live

    @admin.display(description=_("links"), ordering="link_count")
    def links(self, file: Any) -> SafeString:
        """Return the number of links, linked to the list of them."""
        page = page_address(self.admin_site, DirectLink, "changelist")
        if page is None:
            return format_html("{}", file.link_count)
        return format_html('<a href="{}?file__id__exact={}">{}</a>', page, file.pk, file.link_count)

    @admin.action(description=_("Check stored content"), permissions=["view"])
    def check_bytes(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        """Check up to _CHECKED files; only a local storage is asked."""
        files = list(queryset[:_CHECKED])
        lacking = [str(file.path) for file in files if lacks_bytes(file.content)]
        message = ngettext("%d file was checked.", "%d files were checked.", len(files))
        self.message_user(request, message % len(files), messages.INFO)
        if lacking:
            message = ngettext(
                "The content of %(number)d file is missing: %(names)s",
                "The contents of %(number)d files are missing: %(names)s",
                len(lacking),
            )
            names = ", ".join([*lacking[:_NAMED], *(["…"] if lacking[_NAMED:] else [])])
            self.message_user(
                request, message % {"number": len(lacking), "names": names}, messages.WARNING
            )

    @admin.action(description=_("Move to the trash"), permissions=["change"])
    def trash_files(
        self, request: HttpRequest, queryset: FileQuerySet
    ) -> HttpResponseRedirect | None:
        # MySQL updates no table that a condition of the list, such as the policy's, reads.
        keys = [file.pk for file in queryset.filter(source_key=None)]
        count = File.objects.filter(pk__in=keys).trash(timezone.now())
        message = ngettext("%d file was trashed.", "%d files were trashed.", count)
        self.message_user(request, message % count, _level(count))
        return self._back(request)

    @admin.action(description=_("Restore from the trash"), permissions=["change"])
    def restore_files(
        self, request: HttpRequest, queryset: FileQuerySet
    ) -> HttpResponseRedirect | None:
        restored = 0
        for file in queryset.trashed().filter(source_key=None):
            try:
                file.restore()
            except ValidationError as error:
                words = {"path": file.path, "fault": " ".join(error.messages)}
                sentence = _("“%(path)s” was not restored. %(fault)s") % words
                self.message_user(request, sentence, messages.ERROR)
            else:
                restored += 1
        message = ngettext("%d file was restored.", "%d files were restored.", restored)
        self.message_user(request, message % restored, _level(restored))
        return self._back(request)

    def _back(self, request: HttpRequest) -> HttpResponseRedirect | None:
        """Redirect to the page of the file if the action was started there."""
        if "on_page" not in request.POST:
            return None
        return self._to_page_of(File, request.POST[ACTION_CHECKBOX_NAME])


def _is_own(file: File | None) -> bool:
    """Return False if ``file`` is that of an object of another model."""
    return file is None or file.source_key is None


def _level(count: int) -> int:
    """Return WARNING if an action changed nothing, else SUCCESS."""
    return messages.SUCCESS if count else messages.WARNING
