"""The list of links as a table for a spreadsheet."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse

from directlinks.core.records import csv_writer, escape_cell
from directlinks.datetimes import as_clock, in_utc
from directlinks.models import DirectLink
from directlinks.querysets import DirectLinkQuerySet

_ROWS_AT_ONCE = 2000
COLUMNS = (
    "url",
    "code",
    "name",
    "path",
    "owner",
    "state",
    "downloads",
    "last_opened_at",
    "created_by",
    "created_at",
    "not_before",
    "expires_at",
    "max_downloads",
    "paused",
    "password",
    "referers",
    "ask_first",
    "revoked_at",
    "label",
    "note",
)


class _Echo:
    """A file whose lines come out as they go in."""

    def write(self, line: str) -> str:
        return line


def csv_response(links: DirectLinkQuerySet, *, site: str, now: datetime) -> StreamingHttpResponse:
    """``links`` as CSV, row by row; their addresses begin with ``site``.

    Of a password it says whether there is one. The mark at the beginning tells Excel that it is
    UTF-8.
    """
    answer = StreamingHttpResponse(_lines(links, site, now), content_type="text/csv; charset=utf-8")
    name = f"links-{as_clock(now):%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(links: DirectLinkQuerySet, site: str, now: datetime) -> Iterator[str]:
    writer = csv_writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(COLUMNS)
    everything = links.select_related("file__owner", "created_by")
    for link in everything.iterator(chunk_size=_ROWS_AT_ONCE):
        values = _values(link, site, now)
        yield writer.writerow([_cell(values[column]) for column in COLUMNS])


def _values(link: DirectLink, site: str, now: datetime) -> dict[str, Any]:
    return {
        **{column: getattr(link, column, None) for column in COLUMNS},
        "url": site + link.get_absolute_url(),
        "path": link.file.path,
        "owner": str(link.file.owner),
        "state": link.state(now).value,
        "created_by": None if link.created_by is None else str(link.created_by),
        "paused": _yes_or_no(truth=link.paused),
        "ask_first": _yes_or_no(truth=link.ask_first),
        "password": _yes_or_no(truth=bool(link.password)),
    }


def _cell(value: Any) -> str:
    """``value`` for a spreadsheet, which must not take a text for a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return in_utc(value).isoformat()
    return escape_cell(value) if isinstance(value, str) else str(value)


def _yes_or_no(*, truth: bool) -> str:
    return "yes" if truth else "no"
