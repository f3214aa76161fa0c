"""Direct links in the admin of a site's own models."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.admin.base import copy_button, may_create_links, page_address
from directlinks.models import DirectLink
from directlinks.registry import registrations_of
from directlinks.services.registering import existing_links, links_for

_LINKS = "_directlinks_of_file"


class DirectLinksAdminMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A column, an action and a panel for links to the files of registered fields.

    The column and the panel show the reusable links that are there; the action creates them.
    """

    class Media:
        css = {"all": ("directlinks/admin.css",)}  # Django's own attribute
        js = ("directlinks/copy.js",)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "direct_links"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), "direct_links"]

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """Put the panel below all fields; a new object has no files yet, and so no panel."""
        fieldsets = [
            (title, {**options, "fields": [f for f in options["fields"] if f != "direct_links"]})
            for title, options in super().get_fieldsets(request, obj)
        ]
        if obj is None:
            return fieldsets
        return [*fieldsets, (_("direct links"), {"fields": ["direct_links"]})]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if may_create_links(request.user):
            function, name, title = self.get_action("create_direct_links") or (None, "", "")
            actions[name] = (function, name, title)
        return actions

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Find the links of a whole page at once."""
        changelist = super().get_changelist_instance(request)
        _find_links(list(changelist.result_list), request)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            _find_links([found], request)
        return found

    @admin.display(description=_("direct links"))
    def direct_links(self, obj: Any) -> SafeString | str:
        """Return the addresses of the links to the files of an object, with buttons to copy."""
        shown = [
            (page_address(self.admin_site, DirectLink, "change", link.pk) or url, name, button)
            for link, name, url, button in vars(obj).get(_LINKS, [])
        ]
        return (
            format_html_join(
                mark_safe("<br>"), '<span class="dl-address"><a href="{}">{}</a> {}</span>', shown
            )
            or "-"
        )

    @admin.action(description=_("Create direct links"))
    def create_direct_links(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Create the links of all files of the chosen objects, and show their addresses."""
        links = links_for(_files_of(list(queryset)), created_by=request.user)
        made = [link for link in links if link is not None]
        ready = ngettext("%d direct link is ready:", "%d direct links are ready:", len(made))
        urls = [link.url(request) for link in made]
        lines = format_html_join("", '<br><a href="{0}">{0}</a>', ((url,) for url in urls))
        level = messages.SUCCESS if made else messages.WARNING
        self.message_user(request, format_html("{}{}", ready % len(made), lines), level)


def _files_of(objects: list[Model]) -> list[FieldFile]:
    return [
        file
        for one in objects
        for registration in registrations_of(type(one))
        if (file := registration.file_of(one))
    ]


def _find_links(objects: list[Model], request: HttpRequest) -> None:
    """Note on each of ``objects`` the links to its files: one statement for all."""
    for one in objects:
        vars(one)[_LINKS] = []
    if not request.user.has_perm("directlinks.view_directlink"):
        return
    files = _files_of(objects)
    for file, link in zip(files, existing_links(files), strict=True):
        if link is not None:
            url = addresses.absolute(link.get_absolute_url(), request)
            shown = (link, link.name, url, copy_button(url, str(link.name)))
            vars(file.instance)[_LINKS].append(shown)
