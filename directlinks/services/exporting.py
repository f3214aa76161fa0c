"""Exporting links, with everything that an import needs to make them again."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

from directlinks.core.records import LinkRecord
from directlinks.datetimes import in_utc
from directlinks.models import DailyDownloads, DirectLink, FormerCode
from directlinks.querysets import DirectLinkQuerySet
from directlinks.services.walking import walk


def export_links(links: DirectLinkQuerySet) -> Iterator[list[LinkRecord]]:
    """The records of ``links``, step by step; three statements and the memory for each step."""
    for step in walk(links.select_related("file__owner", "created_by")):
        days: dict[int, dict[date, int]] = defaultdict(dict)
        counts = DailyDownloads.objects.filter(link__in=step).order_by("day")
        for link, day, downloads in counts.values_list("link", "day", "downloads"):
            days[link][day] = downloads
        former: dict[int, dict[str, datetime | None]] = defaultdict(dict)
        codes = FormerCode.objects.filter(link__in=step).order_by("pk")
        for link, code, until in codes.values_list("link", "code", "until"):
            former[link][code] = _moment(until)
        yield [_record(link, days=days[link.pk], former_codes=former[link.pk]) for link in step]


def _record(
    link: DirectLink, *, days: dict[date, int], former_codes: dict[str, datetime | None]
) -> LinkRecord:
    creator = link.created_by
    return LinkRecord(
        code=link.code,
        owner=link.file.owner.get_username(),
        path=link.file.path,
        trashed_at=_moment(link.file.deleted_at),
        name=link.name,
        reusable=link.reuse_name is not None,
        created_by=None if creator is None else creator.get_username(),
        created_at=_moment(link.created_at),
        downloads=link.downloads,
        last_opened_at=_moment(link.last_opened_at),
        not_before=_moment(link.not_before),
        expires_at=_moment(link.expires_at),
        max_downloads=link.max_downloads,
        paused=link.paused,
        password=link.password,
        referers=link.referers,
        ask_first=link.ask_first,
        revoked_at=_moment(link.revoked_at),
        label=link.label,
        note=link.note,
        days=days,
        former_codes=former_codes,
    )


def _moment(moment: datetime | None) -> datetime | None:
    """Return ``moment`` with a time zone, so that it is the same on a site with another."""
    return None if moment is None else in_utc(moment)
