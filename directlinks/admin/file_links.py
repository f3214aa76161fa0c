"""Links from the pages of files: those that a file has, and new ones."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directlinks import addresses
from directlinks.admin.columns import copy_button, page_address
from directlinks.admin.states import badge
from directlinks.admin.visible import may_create_links
from directlinks.core import codes
from directlinks.models import DirectLink, File
from directlinks.querysets import FileQuerySet
from directlinks.services.creating import issue_links
from directlinks.storage import lacks_bytes

# More addresses than these would bury the message; the list of links shows them all.
_SHOWN_ADDRESSES = 10
_SHOWN_LINKS = 50


class FileLinks(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A file's links on its page, and the ways to make more of them."""

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
            context |= self._facts_of(file, request)
        return super().render_change_form(request, context, *args, **kwargs)

    def create_link_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Make a link to the file, or find the one that it has, and go to its page."""
        if not self.has_create_link_permission(request):
            raise PermissionDenied
        file = self.get_object(request, key) if request.method == "POST" else None
        if file is None:
            raise Http404
        if not self.has_view_permission(request, file):
            raise PermissionDenied
        links = _make_links([file], separate="separate" in request.POST, user=request.user)
        if link := links.get(file.pk):
            self.message_user(request, _("The direct link is ready."), messages.SUCCESS)
            if self.admin_site.is_registered(DirectLink):
                return self._to_page_of(DirectLink, link.pk)
        else:
            self._tell_skipped(request, 1)
        return self._to_page_of(File, file.pk)

    @admin.action(description=_("Create direct links"), permissions=["create_link"])
    def create_links(self, request: HttpRequest, queryset: FileQuerySet) -> None:
        links = _make_links(list(queryset), separate=False, user=request.user)
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
        told = ngettext(
            "%d file has no link: it is in the trash or its bytes are missing.",
            "%d files have no link: they are in the trash or their bytes are missing.",
            number,
        )
        self.message_user(request, told % number, messages.WARNING)

    def _to_page_of(self, model: type[Model], key: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(page_address(self.admin_site, model, "change", key) or "")

    def _facts_of(self, file: Any, request: HttpRequest) -> dict[str, Any]:
        """Return what the page of ``file`` shows beside its fields: links to permitted users."""
        facts: dict[str, Any] = {
            "lacks_bytes": lacks_bytes(file.content),
            "may_create": file.is_live and self.has_create_link_permission(request),
            "sees_links": request.user.has_perm("directlinks.view_directlink")
            or request.user.has_perm("directlinks.change_directlink"),
        }
        if facts["sees_links"]:
            links = DirectLink.objects.with_file().filter(file=file)
            facts["number"] = links.count()
            facts["links"] = [_row(link, request) for link in links.order_by("-pk")[:_SHOWN_LINKS]]
        return facts


def _row(link: DirectLink, request: HttpRequest) -> dict[str, Any]:
    url = addresses.absolute(link.get_absolute_url(), request)
    return {
        "link": link,
        "url": url,
        "code": codes.shortened(link.code),
        "copy": copy_button(url, str(link.name)),
        "badge": badge(link.state(timezone.now())),
    }


def _make_links(files: Collection[File], *, separate: bool, user: Any) -> dict[int, DirectLink]:
    """A link to each of ``files`` that visitors could open, by the file's key."""
    linkable = [file for file in files if file.is_live and not lacks_bytes(file.content)]
    return issue_links(
        linkable, limits={}, new=separate, limited_as=user, created_by=user, now=timezone.now()
    )
