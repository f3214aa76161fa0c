"""A column with links in Wagtail's lists of documents and images, with a button that makes them."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.ui.tables import BaseColumn
from wagtail.admin.utils import get_valid_next_url_from_request

from directlinks.admin.base import copy_button, may_create_links
from directlinks.contrib.wagtail import libraries
from directlinks.services.limits import is_reusable, limits_of_new
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
        link, back = instance.directlinks
        if link is not None:
            if not link.file.is_live:
                return {**context, "state": _("Private")}
            url = link.url(request)
            return {**context, "url": url, "copy": copy_button(url, link.name)}
        if back is None:
            return context
        meta = instance._meta
        return {
            **context,
            "action": reverse("directlinks_wagtail_create", args=[meta.label_lower, instance.pk]),
            "next": back,
            "csrf_token": get_token(request),
        }


def add_column(view: Any) -> None:
    """Put the column at the end of a list of Wagtail's, and of lists that inherit from it.

    One statement for a page.
    """
    columns, get_context_data = vars(view)["columns"], view.get_context_data

    def with_column(self: Any) -> list[Any]:
        listed = columns.__get__(self, type(self))
        return [*listed, LinkColumn("direct_link", label=_("Direct link"))] if listed else []

    def with_links(self: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = get_context_data(self, **kwargs)
        objects = list(context["object_list"])
        links = existing_links([one.file for one in objects])
        # The whole list, if only the part was asked for that a search fetches.
        back = self.get_next_url() if _may_create_links(self.request.user) else None
        for one, link in zip(objects, links, strict=True):
            one.directlinks = (link, back)
        return context

    view.columns, view.get_context_data = property(with_column), with_links


def _may_create_links(user: Any) -> bool:
    """Return False, too, if each click would create one more link, which the list does not show."""
    limits = limits_of_new({}, user=user, now=timezone.now())
    return may_create_links(user) and is_reusable(limits, reuse=True)


def urls_of_links() -> list[Any]:
    """Return the address of the button."""
    place = "directlinks/<str:label>/<path:key>/"
    return [path(place, create_link, name="directlinks_wagtail_create")]


@require_POST
def create_link(request: HttpRequest, label: str, key: str) -> HttpResponseBase:
    """Make the link of the object of the model ``label`` with this key."""
    models = {model._meta.label_lower: model for model in libraries.models()}
    if label not in models:
        raise Http404
    try:
        instance: Any = get_object_or_404(models[label], pk=key)
    except (ValueError, ValidationError) as error:  # no key of this model
        raise Http404 from error
    if not (_may_create_links(request.user) and instance.is_editable_by_user(request.user)):
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


hooks.register("register_admin_urls", urls_of_links)
# First: Wagtail asks no other hook after one that answers.
hooks.register("after_bulk_action", follow_bulk_action, order=-1)
hooks.register("register_permissions", permissions_of_links)
for _name in filter(apps.is_installed, ("wagtail.documents", "wagtail.images")):
    add_column(import_string(f"{_name}.views.{_name.removeprefix('wagtail.')}.IndexView"))
