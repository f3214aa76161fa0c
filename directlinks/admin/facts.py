"""What the page of a link tells beside its fields."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directlinks.admin.charts import chart_context
from directlinks.admin.columns import copy_button
from directlinks.admin.histories import history_of
from directlinks.admin.pictures import INSTALL, qr_code
from directlinks.core.snippets import snippets
from directlinks.datetimes import day_of
from directlinks.models import DirectLink
from directlinks.services.statistics import downloads_by_day, last_days

_TITLES = {
    "plain": _("Address"),
    "markdown": "Markdown",
    "html": "HTML",
    "bbcode": "BBCode",
    "curl": "curl",
}


def facts_of(link: DirectLink, *, url: str) -> dict[str, Any]:
    """Use, snippets, QR code, history and former codes of ``link``, whose address is ``url``."""
    today = day_of(timezone.now())
    days, counts = last_days(today), downloads_by_day([link.pk], today=today)[link.pk]
    pasted = snippets(url, str(link.name), link.file.content_type, ask_first=link.ask_first)
    return {
        **chart_context(days, counts),
        "snippets": [
            (_TITLES[kind], text, copy_button(text, str(_TITLES[kind])))
            for kind, text in pasted.items()
        ],
        "qr": qr_code(url, url),
        "qr_install": INSTALL,
        "deeds": history_of(link),
        "former_codes": link.former_codes.order_by("-pk"),
        "now": timezone.now(),
    }
