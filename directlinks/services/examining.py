"""Examining links: which of them no longer do what whoever made them expects."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.core.files.storage import InvalidStorageError

from directlinks.core import codes
from directlinks.core.errors import LinkNotFound
from directlinks.datetimes import seconds_of
from directlinks.delivery.reading import open_content
from directlinks.models import DirectLink, File
from directlinks.services.walking import walk
from directlinks.storage import has_local_paths
from directlinks.users import is_active


class Kind(Enum):
    """What may be found, by the name that a caller asks for it."""

    BYTES_MISSING = "bytes-missing"
    UNREADABLE = "unreadable"
    DRIFTED = "drifted"
    OWNER_INACTIVE = "owner-inactive"
    EXPIRED = "expired"
    NEVER_USED = "never-used"


_OF_CONTENTS = {Kind.BYTES_MISSING, Kind.UNREADABLE, Kind.DRIFTED}

# The clock of a file server may be ahead of ours.
_SETTLED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one link, with what is needed to find both; the code is shortened."""

    kind: Kind
    link: int
    code: str
    owner: str
    path: str


@dataclass(frozen=True, slots=True)
class Examined:
    """One step of the way: how many links it had, and what was found among them."""

    links: int
    findings: list[Finding]


def examine(
    *,
    now: datetime,
    unused_for: timedelta,
    kinds: Collection[Kind] = frozenset(Kind),
    ask_remote: bool = False,
) -> Iterator[Examined]:
    """Look for faults of ``kinds`` at each link that is meant to open, step by step.

    Links that were revoked, and those of files in the trash, are meant not to. A link that was
    never opened since it began ``unused_for`` ago is a finding only where no other fault explains
    it. Memory and statements: one step's, one for each step. A storage without local paths is asked
    for bytes only if ``ask_remote``, once for each file of a step.
    """
    standing = DirectLink.objects.with_file().filter(revoked_at=None, file__deleted_at=None)
    for step in walk(standing):
        files = {link.file_id: link.file for link in step if _OF_CONTENTS & set(kinds)}
        found = {key: _content_fault(file, ask_remote=ask_remote) for key, file in files.items()}
        findings = [
            _finding(kind, link)
            for link in step
            for kind in _faults(
                link, content=found.get(link.file_id), begun_by=now - unused_for, now=now
            )
            if kind in kinds
        ]
        yield Examined(len(step), findings)


def _faults(
    link: DirectLink, *, content: Kind | None, begun_by: datetime, now: datetime
) -> list[Kind]:
    faults: list[Kind] = []
    if content in (Kind.BYTES_MISSING, Kind.UNREADABLE):
        faults.append(content)
    if not is_active(link.file.owner):
        faults.append(Kind.OWNER_INACTIVE)
    if link.expires_at is not None and link.expires_at <= now:
        faults.append(Kind.EXPIRED)
    if not faults and _is_unused(link, begun_by):
        faults.append(Kind.NEVER_USED)
    if content is Kind.DRIFTED:  # such a link opens
        faults.append(content)
    return faults


def _is_unused(link: DirectLink, begun_by: datetime) -> bool:
    begun = max(link.created_at, link.not_before or link.created_at)
    return link.downloads == 0 and not link.paused and begun <= begun_by


def _content_fault(file: File, *, ask_remote: bool) -> Kind | None:
    """Return what is wrong with the content of ``file``; of a remote one only if it is missing."""
    name = str(file.content)
    try:
        storage = file.content.storage
    except InvalidStorageError:
        return Kind.BYTES_MISSING
    if not name:
        return Kind.BYTES_MISSING
    if not has_local_paths(storage):
        return Kind.BYTES_MISSING if ask_remote and not storage.exists(name) else None
    try:  # as a visit does
        content = open_content(storage, name)
    except OSError:
        return Kind.UNREADABLE
    except LinkNotFound as error:
        is_there = isinstance(error.__cause__, OSError) and not isinstance(
            error.__cause__, (FileNotFoundError, NotADirectoryError)
        )
        return Kind.UNREADABLE if is_there else Kind.BYTES_MISSING
    content.close()
    written_by = seconds_of(file.updated_at) + _SETTLED_AFTER.total_seconds()
    is_newer = content.modified_ns is not None and content.modified_ns / 1e9 > written_by
    return Kind.DRIFTED if is_newer or content.size != file.size else None


def _finding(kind: Kind, link: DirectLink) -> Finding:
    return Finding(
        kind=kind,
        link=link.pk,
        code=codes.shortened(link.code),
        owner=link.file.owner.get_username(),
        path=link.file.path,
    )
