"""A panel with links on the pages of filer's files, and an action in its folders that makes them.

They are put into what is registered for these models: add this app below apps that register them.
"""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from filer.admin.tools import check_folder_read_permissions
from filer.models import File, Folder

from directlinks.admin.base import may_create_links
from directlinks.admin.mixins import DirectLinksAdminMixin, create_links_for
from directlinks.contrib.filer import libraries


class FolderLinksMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """An action that creates links for files, and for all files in folders and below them."""

    def has_create_direct_links_permission(self, request: HttpRequest) -> bool:
        return may_create_links(request.user)

    @admin.action(description=_("Create direct links"), permissions=["create_direct_links"])
    def create_direct_links(
        self, request: HttpRequest, files_queryset: "QuerySet[Any]", folders_queryset: Any
    ) -> None:
        """Create the links of all chosen files, and show the first addresses."""
        # The list shows only what the user may read; what is in a folder may be more.
        check_folder_read_permissions(request, folders_queryset)
        create_links_for(list(_chosen(files_queryset, folders_queryset)), self, request)

    def resize_images(
        self, request: HttpRequest, files_queryset: "QuerySet[Any]", folders_queryset: Any
    ) -> HttpResponse | None:
        """Follow images whose contents filer replaces under their names."""
        chosen = _chosen(files_queryset, folders_queryset).values_list("pk", "sha1")
        before = dict(chosen)
        try:
            answer: HttpResponse | None = super().resize_images(  # type: ignore[misc]  # filer's
                request, files_queryset, folders_queryset
            )
        finally:  # an image that cannot be read does not undo those before it
            libraries.follow_new_contents([key for key, _ in set(chosen.all()) - before.items()])
        return answer


def _chosen(files: "QuerySet[Any]", folders: Any) -> Any:
    """Return the chosen files, and those in chosen folders and below them."""
    keys = list(files.values_list("pk", flat=True))
    below = {key for one in folders for key in (one.pk, *one.get_descendants_ids())}
    return File.objects.filter(Q(pk__in=keys) | Q(folder__in=below))


def _extend(model: type[Model], mixin: type[Any]) -> None:
    """Put ``mixin`` in front of what is registered for ``model``, unless the site has done so."""
    registered: Any = type(admin.site._registry[model])
    if issubclass(registered, mixin):
        return
    # None if the site wants none.
    given = registered.actions
    actions = None if given is None else [*given, "create_direct_links"]
    admin.site.unregister(model)
    admin.site.register(model, type(registered.__name__, (mixin, registered), {"actions": actions}))


for _model in filter(admin.site.is_registered, apps.get_models()):
    if issubclass(_model, File):
        _extend(_model, DirectLinksAdminMixin)
    elif _model is Folder:
        _extend(_model, FolderLinksMixin)
