"""What the pages of files and of links have in common."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from directlinks.admin.base import page_address
from directlinks.admin.filters import LaggingChangeList


class OwnPages(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Pages with our styles and scripts, whose form knows who fills it in, as ``requested_by``."""

    class Media:
        css = {"all": ("directlinks/admin.css",)}
        js = ("directlinks/copy.js",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LaggingChangeList]:
        return LaggingChangeList

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.requested_by = request.user
        return form

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what is deleted with ``objs`` instead of listing it.

        The counts of each day would be a line each.
        """
        _lines, numbers, missing_permissions, protected = super().get_deleted_objects(objs, request)
        return [self.described(one) for one in objs], numbers, missing_permissions, protected

    def described(self, one: Any) -> SafeString:
        """Return the name of ``one`` for the confirmation page, linked to its own page."""
        page = page_address(self.admin_site, self.model, "change", one.pk)
        return format_html('<a href="{}">{}</a>', page, one)
