"""Charts of numbers by day: inline SVG without styles, with a text for screen readers."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_WIDTH, _HEIGHT = 96, 24
_BAR, _GAP, _TALL = 16, 4, 120


def in_words(counts: Sequence[int]) -> str:
    """Return what a chart of ``counts`` shows, in a sentence."""
    total = sum(counts)
    message = ngettext(
        "%(total)d download in %(days)d days", "%(total)d downloads in %(days)d days", total
    )
    words = message % {"total": total, "days": len(counts)}
    if not total:
        return words
    return _("%(words)s, at most %(most)d on one day") % {"words": words, "most": max(counts)}


def sparkline(counts: Sequence[int]) -> SafeString:
    """Return ``counts`` of successive days as a small line."""
    step = _WIDTH / max(len(counts) - 1, 1)
    most = max(*counts, 1)
    heights = (_HEIGHT - 2 - count * (_HEIGHT - 4) / most for count in counts)
    points = " ".join(f"{place * step:.1f},{height:.1f}" for place, height in enumerate(heights))
    return format_html(
        '<svg class="dl-spark" role="img" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<title>{}</title><polyline points="{}"/></svg>',
        *(_WIDTH, _HEIGHT, _WIDTH, _HEIGHT),
        in_words(counts),
        points,
    )


def bars(days: Sequence[date], counts: Sequence[int]) -> SafeString:
    """Return ``counts`` of ``days`` as bars that fill the width of the page."""
    most = max(*counts, 1)
    drawn = (
        (
            place * (_BAR + _GAP),
            _TALL - height,
            _BAR,
            height,
            f"{date_format(day, 'SHORT_DATE_FORMAT')}: {count}",
        )
        for place, (day, count) in enumerate(zip(days, counts, strict=True))
        # Something is seen of a single download beside thousands; nothing, of none.
        for height in [max(count * _TALL // most, 2) if count else 0]
    )
    return format_html(
        '<svg class="dl-bars" role="img" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        "<title>{}</title>{}</svg>",
        *(len(counts) * (_BAR + _GAP) - _GAP, _TALL),
        in_words(counts),
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
            drawn,
        ),
    )


def chart_context(days: Sequence[date], counts: Sequence[int]) -> dict[str, Any]:
    """Return the context of the template ``chart.html`` for ``counts`` on ``days``."""
    return {
        "chart": bars(days, counts),
        "chart_words": in_words(counts),
        "chart_days": [(day, count) for day, count in zip(days, counts, strict=True) if count],
        "chart_first": days[0],
        "chart_last": days[-1],
    }
