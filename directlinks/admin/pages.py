"""What the pages of files and those of links have in common."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class OwnPages(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Pages with our styles and scripts, whose form knows who fills it in, as ``asked_by``."""

    class Media:
        css = {"all": ("directlinks/admin.css",)}
        js = ("directlinks/copy.js",)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.asked_by = request.user
        return form
