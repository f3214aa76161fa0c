"""Importing links that were exported, or made elsewhere: their addresses go on working."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from directlinks import signals
from directlinks.core import codes
from directlinks.core.records import LinkRecord, Numbered
from directlinks.models import DailyDownloads, DirectLink, File, FormerCode
from directlinks.services.announcing import announce
from directlinks.services.import_lookups import Known, as_kept, look_up
from directlinks.services.walking import STEP, in_steps

# A step is repeated if another request made a link with one of its codes meanwhile.
_ROUNDS = 3


class Outcome(Enum):
    ADDED = "added"
    KEPT = "there already"
    MISSING = "without their file"
    REFUSED = "refused"


@dataclass(slots=True)
class Imported:
    """What became of the lines of one step, and what is wrong with some, by their numbers."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)


def import_links(
    lines: Iterable[Numbered], *, now: datetime, dry_run: bool = False
) -> Iterator[Imported]:
    """Make the links of ``lines`` again, step by step; each step is done wholly or not at all.

    A link that is there already, with the same code, file and name, is left as it is. A code that
    leads elsewhere, or did, is refused, and so is a link without its file. Where another link of
    the file is reusable, the imported one opens, but is not given again. A
    step costs six reads at most, and writes many rows by one statement.
    """
    for step in in_steps(lines):
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
    rounds = _ROUNDS
    while True:
        rounds -= 1
        imported, new = _plan(step)
        if dry_run or not new:
            return imported
        try:
            with DirectLink.objects.atomic():
                _write(new, now)
        except IntegrityError:  # a code was taken, or a file deleted, since they were read
            if not rounds:
                raise
        else:
            announce(signals.created, links=[one.link for one in new], user=None)
            return imported


def _plan(step: Sequence[Numbered]) -> tuple[Imported, list[_New]]:
    """What is to become of each line, and the links that are to be made. Reads alone."""
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
    """The link that ``record`` makes, None where it is there already. Raises _Refusal."""
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
        reasons = (f"{name}: {' '.join(told)}" for name, told in error.message_dict.items())
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
        created_by=known.users.get(record.created_by),
        downloads=record.downloads,
        last_opened_at=as_kept(record.last_opened_at),
        not_before=as_kept(record.not_before),
        expires_at=as_kept(record.expires_at),
        max_downloads=record.max_downloads,
        paused=record.paused,
        password=record.password,
        referers=record.referers,
        ask_first=record.ask_first,
        revoked_at=as_kept(record.revoked_at),
        label=record.label,
        note=record.note,
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
    for some in in_steps(days, 10 * STEP):
        DailyDownloads.objects.bulk_create(some)
    FormerCode.objects.bulk_create(
        FormerCode(link=one.link, code=code, until=as_kept(until))
        for one in new
        for code, until in one.record.former_codes.items()
    )
