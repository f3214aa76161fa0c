"""Exporting links as lines of a file, and importing them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, overload

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from directlinks import signals
from directlinks.core import codes, paths
from directlinks.core.links import EMPTY
from directlinks.core.records import LinkRecord, Numbered
from directlinks.core.uris import SITE
from directlinks.datetimes import as_stored, in_utc
from directlinks.models import DailyDownloads, DirectLink, File, FormerCode
from directlinks.querysets import STEP, DirectLinkQuerySet, batched, in_batches, retry_on_conflict
from directlinks.services.sending import send_on_commit
from directlinks.users import users


@dataclass(frozen=True, slots=True)
class Known:
    """Rows that lines refer to.

    Users by name; keys of owners by name, None for SITE; files by owner, path under NFC and when
    they were trashed, or None; the file and name that a code leads to, None for a former code; and
    the files and names that have a reusable link.
    """

    users: dict[str, Any]
    owners: dict[str, Any]
    files: dict[tuple[Any, str, datetime | None], File]
    codes: dict[str, tuple[int, str] | None]
    reused: set[tuple[int, str]]

    def file(self, record: LinkRecord) -> File | None:
        if record.owner not in self.owners:
            return None
        place = (self.owners[record.owner], paths.nfc(record.path))
        return self.files.get((*place, as_kept(record.trashed_at)))


def look_up(records: Sequence[LinkRecord]) -> Known:
    """Return what is there of ``records``, with six reads at most for any number of them."""
    named = _users(records)
    owners = {name: user.pk for name, user in named.items()} | {SITE: None}
    files = _live_files(records, owners) | _trashed_files(records, owners)
    reusable = DirectLink.objects.reusable().filter(file__in=list(files.values()))
    return Known(
        users=named,
        owners=owners,
        files=files,
        codes=_codes(records),
        reused=set(reusable.values_list("file", "reuse_name")),
    )


@overload
def as_kept(moment: datetime) -> datetime: ...
@overload
def as_kept(moment: None) -> None: ...
def as_kept(moment: datetime | None) -> datetime | None:
    """Return ``moment`` as this site stores it; a hand-written record may name no time zone."""
    return None if moment is None else as_stored(moment)


def _users(records: Sequence[LinkRecord]) -> dict[str, Any]:
    names = {name for record in records for name in (record.owner, record.created_by) if name}
    found = users().filter(**{f"{get_user_model().USERNAME_FIELD}__in": names})
    # By exact spelling, even if the database compares otherwise.
    return {user.get_username(): user for user in found}


def _live_files(
    records: Sequence[LinkRecord], owners: dict[str, Any]
) -> dict[tuple[Any, str, datetime | None], File]:
    live = (record for record in records if record.trashed_at is None and record.owner in owners)
    found = File.objects.at((owners[record.owner], record.path) for record in live)
    return {(file.owner_id, paths.nfc(file.path), None): file for file in found}


def _trashed_files(
    records: Sequence[LinkRecord], owners: dict[str, Any]
) -> dict[tuple[Any, str, datetime | None], File]:
    trashed = [record for record in records if record.trashed_at and record.owner in owners]
    keys = {owners[record.owner] for record in trashed}
    found = File.objects.trashed().filter(
        Q(owner__in=keys - {None}) | Q(owner=None) if None in keys else Q(owner__in=keys),
        # The head has an index with the owner.
        path_head__in={paths.head(record.path) for record in trashed},
        deleted_at__in={as_kept(record.trashed_at) for record in trashed},
    )
    return {(file.owner_id, paths.nfc(file.path), file.deleted_at): file for file in found}


def _codes(records: Sequence[LinkRecord]) -> dict[str, tuple[int, str] | None]:
    codes = {code for record in records for code in (record.code, *record.former_codes)}
    links = DirectLink.objects.filter(code__in=codes).values_list("code", "file", "name")
    former = FormerCode.objects.filter(code__in=codes).values_list("code", flat=True)
    return dict.fromkeys(former) | {code: (file, name) for code, file, name in links}


def export_links(links: DirectLinkQuerySet) -> Iterator[list[LinkRecord]]:
    """Yield the records of ``links`` in batches; three statements for each."""
    for step in in_batches(links.select_related("file__owner", "created_by")):
        days: dict[int, dict[date, int]] = defaultdict(dict)
        counts = DailyDownloads.objects.filter(link__in=step).order_by("day")
        for link, day, downloads in counts.values_list("link", "day", "downloads"):
            days[link][day] = downloads
        former: dict[int, dict[str, datetime | None]] = defaultdict(dict)
        codes = FormerCode.objects.filter(link__in=step).order_by("pk")
        for link, code, until in codes.values_list("link", "code", "until"):
            former[link][code] = _aware(until)
        yield [_record(link, days=days[link.pk], former_codes=former[link.pk]) for link in step]


def _record(
    link: DirectLink, *, days: dict[date, int], former_codes: dict[str, datetime | None]
) -> LinkRecord:
    creator = link.created_by
    return LinkRecord(
        code=link.code,
        owner=link.file.owner_name,
        path=link.file.path,
        trashed_at=_aware(link.file.deleted_at),
        name=link.name,
        reusable=link.reuse_name is not None,
        created_by=None if creator is None else creator.get_username(),
        created_at=_aware(link.created_at),
        downloads=link.downloads,
        last_opened_at=_aware(link.last_opened_at),
        revoked_at=_aware(link.revoked_at),
        **{name: _exported(getattr(link, name)) for name in EMPTY},
        days=days,
        former_codes=former_codes,
    )


def _aware(moment: datetime | None) -> datetime | None:
    """Return ``moment`` with a time zone, so that it is the same on a site with another."""
    return None if moment is None else in_utc(moment)


def _exported(value: Any) -> Any:
    return in_utc(value) if isinstance(value, datetime) else value


def _imported(value: Any) -> Any:
    return as_kept(value) if isinstance(value, datetime) else value


class Outcome(Enum):
    """What became of a line."""

    ADDED = "added"
    KEPT = "there already"
    MISSING = "without their file"
    REFUSED = "refused"


@dataclass(slots=True)
class Imported:
    """Outcomes of the lines of one batch, and what is wrong with some, by their numbers."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)


def import_links(
    lines: Iterable[Numbered], *, now: datetime, dry_run: bool = False
) -> Iterator[Imported]:
    """Create the links of ``lines`` again in batches; each is done wholly or not at all.

    A link that exists already, with the same code, file and name, is left as it is. A code that
    leads elsewhere, or did, is refused, and so is a link without its file. If the file has another
    reusable link, the imported one opens but is not reused. A batch costs up to six reads, and
    writes many rows by one statement.
    """
    for step in batched(lines):
        yield _import_step(step, now=now, dry_run=dry_run)


class _Refusal(Exception):
    """A line that makes no link, with the reason."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _New:
    """A link that is to be made, and what it is made from."""

    link: DirectLink
    record: LinkRecord


def _import_step(step: Sequence[Numbered], *, now: datetime, dry_run: bool) -> Imported:
    def attempt() -> Imported:
        imported, new = _plan(step)
        if new and not dry_run:
            with DirectLink.objects.atomic():
                _write(new, now)
            send_on_commit(signals.created, links=[one.link for one in new], user=None)
        return imported

    # A code may be taken, or a file deleted, between reading and writing.
    return retry_on_conflict(attempt)


def _plan(step: Sequence[Numbered]) -> tuple[Imported, list[_New]]:
    """Return what is to become of each line, and the links to make. Only reads."""
    imported = Imported()
    new: list[_New] = []
    known = look_up([record for _, record in step if isinstance(record, LinkRecord)])
    for number, record in step:
        try:
            link = _link(record, known)
        except _Refusal as refusal:
            imported.outcomes[refusal.outcome] += 1
            imported.faults.append((number, str(refusal)))
        else:
            imported.outcomes[Outcome.KEPT if link is None else Outcome.ADDED] += 1
            if link is not None:
                new.append(link)
    return imported, new


def _link(record: LinkRecord | ValueError, known: Known) -> _New | None:
    """Return the link that ``record`` makes, or None if it exists. Raise _Refusal."""
    if isinstance(record, ValueError):
        raise _Refusal(Outcome.REFUSED, str(record))
    code = codes.shortened(record.code)
    file = known.file(record)
    if file is None:
        raise _Refusal(Outcome.MISSING, f"{code}: {record.owner} has no file {record.path}.")
    if known.codes.get(record.code) == (file.pk, record.name):
        return None
    if not known.codes.keys().isdisjoint({record.code, *record.former_codes}):
        raise _Refusal(Outcome.REFUSED, f"{code}: A code of it belongs to another link.")
    link = _unsaved(record, file, known)
    try:
        link.clean_fields(exclude={"file", "created_by"})
    except ValidationError as error:
        reasons = (f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
        raise _Refusal(Outcome.REFUSED, f"{code}: {' '.join(reasons)}") from error
    # The next lines must not take the same.
    known.codes[record.code] = (file.pk, record.name)
    known.codes.update(dict.fromkeys(record.former_codes))
    if link.reuse_name is not None:
        known.reused.add((file.pk, record.name))
    return _New(link, record)


def _unsaved(record: LinkRecord, file: File, known: Known) -> DirectLink:
    link = DirectLink(
        file=file,
        code=record.code,
        name=record.name,
        created_by=known.users.get(record.created_by or ""),
        downloads=record.downloads,
        last_opened_at=as_kept(record.last_opened_at),
        revoked_at=as_kept(record.revoked_at),
        **{name: _imported(getattr(record, name)) for name in EMPTY},
    )
    reused = (file.pk, record.name) in known.reused
    if record.reusable and not link.is_restricted and not reused:
        link.reuse_name = record.name
    return link


def _write(new: Sequence[_New], now: datetime) -> None:
    links = [one.link for one in new]
    DirectLink.objects.bulk_create(links)
    # Not every database says which keys it gave.
    keys = DirectLink.objects.filter(code__in=[link.code for link in links])
    key_of = dict(keys.values_list("code", "pk"))
    for one in new:
        one.link.pk = key_of[one.link.code]
        # On creation it is always the present.
        one.link.created_at = as_kept(one.record.created_at) or now
    DirectLink.objects.bulk_update(links, ["created_at"])
    days = (
        DailyDownloads(link=one.link, day=day, downloads=downloads)
        for one in new
        for day, downloads in one.record.days.items()
    )
    # A link may have thousands, so they are not all made at once.
    for some in batched(days, 10 * STEP):
        DailyDownloads.objects.bulk_create(some)
    FormerCode.objects.bulk_create(
        FormerCode(link=one.link, code=code, until=as_kept(until))
        for one in new
        for code, until in one.record.former_codes.items()
    )
