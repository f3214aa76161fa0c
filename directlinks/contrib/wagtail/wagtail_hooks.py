"""A column with links in Wagtail's lists of documents and images, with a button that makes them."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.ui.tables import BaseColumn
from wagtail.admin.utils import get_valid_next_url_from_request

from directlinks.admin.base import copy_button, may_create_links
from directlinks.contrib.wagtail import libraries
from directlinks.services.linking import existing_links, links_for


class LinkColumn(BaseColumn):
    """The address of an object's link, else a button that makes it."""

    cell_template_name = "directlinks_wagtail/link_cell.html"

    class Media:
        css = {"all": ("directlinks/admin.css",)}
        js = ("directlinks/copy.js",)

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        request: HttpRequest = parent_context["request"]
        link = getattr(instance, "directlinks_link", None)
        if link is not None:
            url = link.url(request)
            return {**context, "url": url, "copy": copy_button(url, link.name)}
        if not may_create_links(request.user):
            return context
        meta = instance._meta
        return {
            **context,
            "action": reverse("directlinks_wagtail_create", args=[meta.label_lower, instance.pk]),
            "next": request.get_full_path(),
            "csrf_token": get_token(request),
        }


class _WithLinks:
    """A list of Wagtail's with the column at its end. One statement for a page, two if needed."""

    @property
    def columns(self) -> list[Any]:
        listed: list[Any] = super().columns  # type: ignore[misc]  # of the view that is mixed in
        return [*listed, LinkColumn("direct_link", label=_("Direct link"))] if listed else []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        objects = list(context["object_list"])
        links = existing_links([one.file for one in objects])
        for one, link in zip(objects, links, strict=True):
            one.directlinks_link = link
        return context


def urls_of_links() -> list[Any]:
    """Return the lists in place of Wagtail's own, and the address of the button."""
    place = "directlinks/<str:label>/<path:key>/"
    found = [path(place, create_link, name="directlinks_wagtail_create")]
    for name in filter(apps.is_installed, ("wagtail.documents", "wagtail.images")):
        kind = name.removeprefix("wagtail.")
        view: Any = import_string(f"{name}.views.{kind}.IndexView")
        listing: Any = type(view.__name__, (_WithLinks, view), {})
        found += [
            path(f"{kind}/", listing.as_view()),
            path(f"{kind}/results/", listing.as_view(results_only=True)),
        ]
    return found


@require_POST
def create_link(request: HttpRequest, label: str, key: str) -> HttpResponseBase:
    """Make the link of the object of the model ``label`` with this key."""
    models = {model._meta.label_lower: model for model in libraries.models()}
    if label not in models:
        raise Http404
    instance: Any = get_object_or_404(models[label], pk=key)
    if not (may_create_links(request.user) and instance.is_editable_by_user(request.user)):
        raise PermissionDenied
    (link,) = links_for([instance.file], created_by=request.user)
    if link is None:
        messages.error(request, _("“%s” is private, so it has no link.") % instance)
    else:
        messages.success(request, _("“%s” has a direct link.") % instance)
    return redirect(get_valid_next_url_from_request(request) or "wagtailadmin_home")


def follow_bulk_action(request: HttpRequest, action_type: str, objects: Any, action: Any) -> None:
    """Follow objects that a bulk action may have put into another collection without a signal."""
    libraries.follow(list(objects))


def permissions_of_links() -> "QuerySet[Permission]":
    """Return the permission that Wagtail's groups may be given."""
    return Permission.objects.filter(
        content_type__app_label="directlinks", codename="add_directlink"
    )


hooks.register("register_admin_urls", urls_of_links, order=-1)
hooks.register("after_bulk_action", follow_bulk_action)
hooks.register("register_permissions", permissions_of_links)
