"""What the database holds of the things that imported records mention, found by a few reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from django.contrib.auth import get_user_model

from directlinks.core import paths
from directlinks.core.records import LinkRecord
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File, FormerCode
from directlinks.users import users


@dataclass(frozen=True, slots=True)
class Known:
    """Users by name; files by owner, path under NFC and the moment at which they were trashed, or
    None; the file and name that a code leads to, None for a former code; and the files and names
    that have a reusable link."""

    users: dict[str | None, Any]
    files: dict[tuple[Any, str, datetime | None], File]
    codes: dict[str, tuple[int, str] | None]
    reused: set[tuple[int, str]]

    def file(self, record: LinkRecord) -> File | None:
        owner = self.users.get(record.owner)
        if owner is None:
            return None
        return self.files.get((owner.pk, paths.nfc(record.path), as_kept(record.trashed_at)))


def look_up(records: Sequence[LinkRecord]) -> Known:
    """Return what is there of ``records``, with six reads at most for any number of them."""
    named = _users(records)
    files = _live_files(records, named) | _trashed_files(records, named)
    reusable = DirectLink.objects.reusable().filter(file__in=list(files.values()))
    return Known(
        users=named,
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


def _users(records: Sequence[LinkRecord]) -> dict[str | None, Any]:
    names = {name for record in records for name in (record.owner, record.created_by) if name}
    found = users().filter(**{f"{get_user_model().USERNAME_FIELD}__in": names})
    # By exact spelling, also where the database has another opinion.
    return {user.get_username(): user for user in found}


def _live_files(
    records: Sequence[LinkRecord], users: dict[str | None, Any]
) -> dict[tuple[Any, str, datetime | None], File]:
    live = (record for record in records if record.trashed_at is None and record.owner in users)
    found = File.objects.at((users[record.owner].pk, record.path) for record in live)
    return {(file.owner_id, paths.nfc(file.path), None): file for file in found}


def _trashed_files(
    records: Sequence[LinkRecord], users: dict[str | None, Any]
) -> dict[tuple[Any, str, datetime | None], File]:
    trashed = [record for record in records if record.trashed_at and record.owner in users]
    found = File.objects.trashed().filter(
        owner__in={users[record.owner].pk for record in trashed},
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
