"""What is shown of a link: in the columns of the list, and on its page."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from directlinks.admin.charts import sparkline
from directlinks.admin.states import badge
from directlinks.core import codes
from directlinks.datetimes import as_clock
from directlinks.models import DirectLink, File


def copy_button(text: str, name: str) -> SafeString:
    """Return a button that copies ``text``; ``name`` is its label for screen readers.

    It is hidden if scripts are disabled.
    """
    return format_html(
        '<button type="button" class="dl-copy" data-copy="{}" data-copied="{}" data-failed="{}"'
        ' aria-label="{}"'
        " hidden>{}</button>",
        text,
        gettext("Copied"),
        gettext("Not copied: press Ctrl+C or ⌘C"),
        gettext("Copy: %(name)s") % {"name": name},
        gettext("Copy"),
    )


def which(link: DirectLink) -> SafeString:
    """What tells ``link`` from others of the same name: its code, owner, path and label."""
    facts = [codes.shortened(link.code), str(link.file.owner), link.file.path, link.label]
    return format_html('<span class="dl-label">{}</span>', " · ".join(filter(None, facts)))


def page_address(site: Any, model: type[Model], page: str, *keys: Any) -> str | None:
    """Return the address of a page about ``model`` in the admin ``site``, None if it has none."""
    if not site.is_registered(model):
        return None
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(place, args=keys, current_app=site.name)


class LinkColumns(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """The columns. A link has its ``site`` with it, and in the list its ``recent`` downloads."""

    @admin.display(description=_("name"), ordering="name")
    def link(self, link: DirectLink) -> SafeString:
        label = format_html(' <span class="dl-label">{}</span>', link.label) if link.label else ""
        return format_html("{}{}", link.name, label)

    @admin.display(description=_("address"))
    def short_address(self, link: Any) -> SafeString:
        url = link.site + link.get_absolute_url()
        return format_html(
            '<span class="dl-address"><a href="{}">{}</a> {}</span>',
            url,
            codes.shortened(link.code),
            copy_button(url, link.name),
        )

    @admin.display(description=_("address"))
    def address(self, link: Any) -> SafeString:
        """The whole address, to be copied or followed; it may wrap, which a copy does not show."""
        url = link.site + link.get_absolute_url()
        parts = ((url[start : start + 24],) for start in range(0, len(url), 24))
        shown = format_html_join(mark_safe("<wbr>"), "{}", parts)
        return format_html('<a href="{}">{}</a> {}', url, shown, copy_button(url, link.name))

    @admin.display(description=_("state"))
    def state(self, link: DirectLink) -> SafeString:
        return badge(link.state(timezone.now()))

    @admin.display(description=_("last 30 days"))
    def last_days(self, link: Any) -> SafeString:
        return sparkline(link.recent)

    @admin.display(description=_("last opened"), ordering="last_opened_at", empty_value="-")
    def opened(self, link: DirectLink) -> str | None:
        if link.last_opened_at is None:
            return None
        return date_format(as_clock(link.last_opened_at), "SHORT_DATE_FORMAT")

    @admin.display(description=_("owner"), ordering="file__owner")
    def owner(self, link: DirectLink) -> SafeString:
        """Leads to all links of the owner."""
        page = page_address(self.admin_site, DirectLink, "changelist")
        return format_html(
            '<a href="{}?owner={}">{}</a>', page, link.file.owner_id, link.file.owner
        )

    @admin.display(description=_("file"), ordering="file__path")
    def file_page(self, link: DirectLink) -> SafeString:
        page = page_address(self.admin_site, File, "change", link.file_id)
        if page is None:
            return format_html('<span class="dl-path">{}</span>', link.file.path)
        return format_html('<a class="dl-path" href="{}">{}</a>', page, link.file.path)

    @admin.display(description=_("asks for a password"), boolean=True)
    def has_password(self, link: DirectLink) -> bool:
        return bool(link.password)
