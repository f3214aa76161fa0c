"""Dashboard of all links: states, downloads, most downloaded, recent changes."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directlinks.admin.base import TITLES, owner_page, recent_history, slug, visible_links
from directlinks.admin.charts import chart_context
from directlinks.core.links import LinkState
from directlinks.datetimes import day_of
from directlinks.querysets import DirectLinkQuerySet
from directlinks.services.statistics import last_days, most_downloaded, total_by_day

_SHOWN = 10


def dashboard(model_admin: Any, request: HttpRequest) -> TemplateResponse:
    """Return the page. Raise PermissionDenied for users who may not view links."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    links = visible_links(request.user).may_lag()
    today = day_of(timezone.now())
    days, counts = last_days(today), total_by_day(links, today=today)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "title": _("Dashboard"),
        "states": _numbers_by_state(links),
        **chart_context(days, counts),
        "top": [
            (link, number, owner_page(model_admin.admin_site, link))
            for link, number in most_downloaded(links, today=today, number=_SHOWN)
        ],
        "history": recent_history(links, _SHOWN),
    }
    request.current_app = model_admin.admin_site.name  # for {% url %}
    return TemplateResponse(request, "directlinks/admin/dashboard.html", context)


def _numbers_by_state(links: DirectLinkQuerySet) -> list[tuple[str, Any, int]]:
    """Return slug, title and number of links of each state, in one statement."""
    counted = links.with_state(timezone.now()).order_by().values("state_place")
    numbers = dict(counted.annotate(number=Count("pk")).values_list("state_place", "number"))
    places = list(LinkState)
    return [
        (slug(state), title, numbers.get(places.index(state), 0)) for state, title in TITLES.items()
    ]
