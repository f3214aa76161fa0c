"""Direct links in the admin of a site's own models."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks.admin.base import copy_button, may_create_links, page_address, visible_files
from directlinks.models import DirectLink
from directlinks.policies import site_policy
from directlinks.querysets import is_everything
from directlinks.registry import registrations_of
from directlinks.services.linking import existing_links, make_links

_LINKS = "_directlinks_of_file"
# More addresses than these would bury the message.
_SHOWN_ADDRESSES = 10


class DirectLinksAdminMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A column, an action and a panel for links to the files of registered fields.

    The column and the panel show the reusable links that are there; the action creates them.
    """

    class Media:
        css = {"all": ("directlinks/admin.css",)}  # Django's own attribute
        js = ("directlinks/copy.js",)

    actions: Any = ("create_direct_links",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Add the action to those of the site, unless it wants none."""
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("actions")
        if own is not None:
            cls.actions = tuple(dict.fromkeys((*own, "create_direct_links")))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return list(dict.fromkeys((*super().get_list_display(request), "direct_links")))

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[Any]:
        return list(dict.fromkeys((*super().get_readonly_fields(request, obj), "direct_links")))

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """Put the panel below all fields, unless the site has a place for it.

        A new object has no files yet, and so no panel.
        """
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and "direct_links" in flatten_fieldsets(
            self.fieldsets or [(None, {"fields": self.fields or ()})]
        ):
            return fieldsets
        fieldsets = [
            (title, {**options, "fields": [f for f in options["fields"] if f != "direct_links"]})
            for title, options in fieldsets
        ]
        if obj is None:
            return fieldsets
        return [*fieldsets, (_("direct links"), {"fields": ["direct_links"]})]

    def has_create_direct_links_permission(self, request: HttpRequest) -> bool:
        return may_create_links(request.user)

    @admin.action(description=_("Create direct links"), permissions=["create_direct_links"])
    def create_direct_links(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Create the links of all files of the chosen objects, and show the first addresses."""
        create_links_for(list(queryset), self, request)

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


def create_links_for(
    objects: list[Model], model_admin: "admin.ModelAdmin[Any]", request: HttpRequest
) -> None:
    """Create the links of all files of ``objects``, and show the first addresses.

    Files are left out if the site's policy does not let the user manage their links.
    """
    try:
        links = make_links(
            _files_of(objects),
            created_by=request.user,
            limits={},
            allows=partial(site_policy().allows, request.user),
        )
    except ValidationError as error:
        model_admin.message_user(request, " ".join(error.messages), messages.ERROR)
        return
    urls = [link.url(request) for link in links if link is not None]
    ready = ngettext("%d direct link is ready:", "%d direct links are ready:", len(urls))
    shown = ((url,) for url in urls[:_SHOWN_ADDRESSES])
    lines = format_html_join("", '<br><a href="{0}">{0}</a>', shown)
    more = mark_safe("<br>…") if len(urls) > _SHOWN_ADDRESSES else ""
    level = messages.SUCCESS if urls else messages.WARNING
    model_admin.message_user(request, format_html("{}{}{}", ready % len(urls), lines, more), level)


def _files_of(objects: list[Model]) -> list[FieldFile]:
    return [
        file
        for one in objects
        for registration in registrations_of(type(one))
        if (file := registration.file_of(one))
    ]


def _find_links(objects: list[Model], request: HttpRequest) -> None:
    """Note on each of ``objects`` the links to its files that the user may see.

    One statement for all, and one more if the policy lets the user see only some files.
    """
    for one in objects:
        vars(one)[_LINKS] = []
    rights = ("directlinks.view_directlink", "directlinks.change_directlink")
    if not any(map(request.user.has_perm, rights)):
        return
    files = _files_of(objects)
    found = zip(files, existing_links(files), strict=True)
    links = [(file, link) for file, link in found if link is not None]
    visible = visible_files(request.user)
    if not is_everything(visible):
        keys = visible.filter(pk__in=[link.file_id for _, link in links])
        seen = set(keys.values_list("pk", flat=True))
        links = [(file, link) for file, link in links if link.file_id in seen]
    for file, link in links:
        url = link.url(request)
        shown = (link, link.name, url, copy_button(url, str(link.name)))
        vars(file.instance)[_LINKS].append(shown)
