"""Finding links that no longer work as their makers expect."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from django.core.files.storage import InvalidStorageError, Storage

from directlinks.core import codes
from directlinks.core.errors import LinkNotFound, StorageError
from directlinks.datetimes import seconds_of
from directlinks.delivery.reading import SETTLED_AFTER, open_content
from directlinks.models import DirectLink, File
from directlinks.querysets import in_batches
from directlinks.services.syncing import out_of_date
from directlinks.storage import has_local_paths
from directlinks.storage_errors import storage_errors
from directlinks.users import is_active


class Kind(Enum):
    """Kinds of findings, by the names that callers use."""

    BYTES_MISSING = "bytes-missing"
    UNREADABLE = "unreadable"
    DRIFTED = "drifted"
    OWNER_INACTIVE = "owner-inactive"
    EXPIRED = "expired"
    NEVER_USED = "never-used"


_OF_CONTENTS = {Kind.BYTES_MISSING, Kind.UNREADABLE, Kind.DRIFTED}


class _Fault(NamedTuple):
    """What is wrong with a content, and why, if the kind does not say all."""

    kind: Kind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one link, with what is needed to find both; the code is shortened.

    ``detail`` is what a storage on another machine says, if it refuses to tell of the content.
    """

    kind: Kind
    link: int
    code: str
    owner: str
    path: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One batch: how many links it had, and its findings."""

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
    for bytes only if ``ask_remote``, once for each file of a step; a refusal is a finding, too.
    """
    standing = DirectLink.objects.with_file().filter(revoked_at=None, file__deleted_at=None)
    for step in in_batches(standing):
        files = {link.file_id: link.file for link in step if _OF_CONTENTS & set(kinds)}
        found = {key: _content_fault(file, ask_remote=ask_remote) for key, file in files.items()}
        for key, detail in out_of_date(files.values()).items():
            found[key] = _Fault(Kind.DRIFTED, detail)
        findings = [
            _finding(fault, link)
            for link in step
            for fault in _faults(
                link, content=found.get(link.file_id), begun_by=now - unused_for, now=now
            )
            if fault.kind in kinds
        ]
        yield Examined(len(step), findings)


def _faults(
    link: DirectLink, *, content: _Fault | None, begun_by: datetime, now: datetime
) -> list[_Fault]:
    faults: list[_Fault] = []
    has_drifted = content is not None and content.kind is Kind.DRIFTED
    if content is not None and not has_drifted:
        faults.append(content)
    if not is_active(link.file.owner):
        faults.append(_Fault(Kind.OWNER_INACTIVE))
    if link.expires_at is not None and link.expires_at <= now:
        faults.append(_Fault(Kind.EXPIRED))
    if not faults and _is_unused(link, begun_by):
        faults.append(_Fault(Kind.NEVER_USED))
    if content is not None and has_drifted:  # such a link opens
        faults.append(content)
    return faults


def _is_unused(link: DirectLink, begun_by: datetime) -> bool:
    begun = max(link.created_at, link.not_before or link.created_at)
    return link.downloads == 0 and not link.paused and begun <= begun_by


def _content_fault(file: File, *, ask_remote: bool) -> _Fault | None:
    """Return what is wrong with the content of ``file``; of a remote one only if it is there."""
    name = str(file.content)
    try:
        storage = file.content.storage
    except InvalidStorageError:
        return _Fault(Kind.BYTES_MISSING)
    if not name:
        return _Fault(Kind.BYTES_MISSING)
    if not has_local_paths(storage):
        return _remote_fault(storage, name) if ask_remote else None
    try:  # as a visit does
        content = open_content(storage, name)
    except (OSError, StorageError):
        return _Fault(Kind.UNREADABLE)
    except LinkNotFound as error:
        is_there = isinstance(error.__cause__, OSError) and not isinstance(
            error.__cause__, (FileNotFoundError, NotADirectoryError)
        )
        return _Fault(Kind.UNREADABLE if is_there else Kind.BYTES_MISSING)
    content.close()
    written_by = seconds_of(file.updated_at) + SETTLED_AFTER.total_seconds()
    is_newer = content.modified_ns is not None and content.modified_ns / 1e9 > written_by
    return _Fault(Kind.DRIFTED) if is_newer or content.size != file.size else None


def _remote_fault(storage: Storage, name: str) -> _Fault | None:
    """Ask ``storage`` if it has ``name``. If it refuses to tell, visitors cannot read that."""
    try:
        with storage_errors():
            is_there = storage.exists(name)
    except StorageError as error:
        return _Fault(Kind.UNREADABLE, error.cause)
    except OSError as error:
        return _Fault(Kind.UNREADABLE, str(error))
    except LinkNotFound:
        is_there = False
    return None if is_there else _Fault(Kind.BYTES_MISSING)


def _finding(fault: _Fault, link: DirectLink) -> Finding:
    return Finding(
        kind=fault.kind,
        link=link.pk,
        code=codes.shortened(link.code),
        owner=link.file.owner_name,
        path=link.file.path,
        detail=fault.detail,
    )
