"""Removing old rows and unused contents, but nothing whose code could return.

A revoked code must never open another file. What is random enough cannot come back by chance, so
rows with long codes may go; rows with short ones are kept for ever.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import Storage
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Substr

from directlinks.conf import conf
from directlinks.core.codes import may_repeat
from directlinks.datetimes import as_stored, day_of
from directlinks.delivery.objects import (
    are_listed,
    delete_contents,
    is_opened_by,
    objects_below,
)
from directlinks.models import (
    DailyDownloads,
    DirectLink,
    File,
    FlushedBatch,
    IdempotentRequest,
    UnusedContent,
)
from directlinks.querysets import batched, in_batches
from directlinks.storage import OWN_FOLDER, has_local_paths
from directlinks.storage_errors import Tell, reported_errors, storage_errors

# A machine that comes back after so long could still bring a journal that was added already.
FLUSHED = timedelta(days=366)

# A file's bytes are stored before its row: what is younger may be waiting for one.
UPLOADING = timedelta(days=1)

# As ``content_name`` makes them.
_CONTENT = re.compile(rf"{OWN_FOLDER}/[0-9a-f]{{32}}/[^/]+")
_FOLDER_LENGTH = len(f"{OWN_FOLDER}/") + 32


def old_requests(now: datetime) -> "QuerySet[IdempotentRequest, IdempotentRequest]":
    """Return idempotent requests whose answers cannot be repeated any more."""
    return IdempotentRequest.objects.outdated(now)


def old_batches(now: datetime) -> "QuerySet[FlushedBatch, FlushedBatch]":
    """Return batches of counts that no process will find again."""
    return FlushedBatch.objects.last_met_before(now - FLUSHED)


def old_days(now: datetime, age: timedelta) -> "QuerySet[DailyDownloads, DailyDownloads]":
    """Return counts of days more than ``age`` ago. The links keep their totals."""
    return DailyDownloads.objects.filter(day__lt=day_of(now) - age)


def dead_links(now: datetime, age: timedelta) -> "QuerySet[DirectLink, DirectLink]":
    """Return links that were revoked, expired or used up ``age`` ago."""
    then = now - age
    used_up = Q(max_downloads__lte=F("downloads"), last_opened_at__lt=then)
    found: QuerySet[DirectLink, DirectLink] = DirectLink.objects.filter(
        Q(revoked_at__lt=then) | Q(expires_at__lt=then) | used_up
    )
    return found


def codes_never_return() -> bool:
    """Return True if the site's codes have enough random bits that none comes back by chance."""
    return not may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET)


def delete_in_steps(rows: "QuerySet[Any, Any]") -> Iterator[int]:
    """Delete ``rows`` and what belongs to them; yield the number of each committed batch."""
    for step in in_batches(rows.only("pk")):
        # What became alive again meanwhile stays.
        still = rows.filter(pk__in=[row.pk for row in step])
        _, deleted = still.delete()
        yield deleted.get(rows.model._meta.label, 0)


def contents_without_file(storage: Storage, now: datetime, tell: Tell) -> Iterator[str]:
    """Yield the names of contents in our own folder of ``storage`` that no file has.

    Files in the trash have theirs. Young contents are left out, because their files may be about
    to be saved, and so is all that does not look as if we had stored it, or was moved and may still
    be visited. One statement for every STEP folders. ``tell`` of what cannot be looked at. Raise
    StorageError if the folder cannot be listed.
    """
    before = now - UPLOADING
    if are_listed(storage):
        yield from _objects_without_file(storage, before)
        return
    for folders in batched(_own_folders(storage)):
        for folder in _without_file(folders):
            with reported_errors(folder, tell):
                for name in sorted(storage.listdir(folder)[1]):
                    if as_stored(storage.get_modified_time(f"{folder}/{name}")) < before:
                        yield f"{folder}/{name}"


def is_own(name: str) -> bool:
    """Return True if this app has stored the content called ``name``, and the site has not."""
    return _CONTENT.fullmatch(name) is not None


def remove_content(storage: Storage, name: str) -> None:
    """Delete the bytes called ``name``, and the folder that they had for themselves."""
    storage.delete(name)
    if has_local_paths(storage):
        with suppress(OSError):  # something else is in it
            storage.delete(name.rpartition("/")[0])


def remove_contents(storage: Storage, names: Sequence[str], tell: Tell) -> None:
    """Delete the contents ``names`` by few requests; ``tell`` of each that stays."""
    if not has_local_paths(storage):
        delete_contents(storage, names, tell)
        return
    for name in names:
        with reported_errors(name, tell):
            remove_content(storage, name)


def _objects_without_file(storage: Storage, before: datetime) -> Iterator[str]:
    own = (
        found
        for found in objects_below(storage, OWN_FOLDER)
        if is_own(found.name) and is_opened_by(storage, found.name)
    )
    for step in batched(own):
        lost = set(_without_file([_folder_of(found.name) for found in step]))
        for found in step:
            if _folder_of(found.name) in lost and as_stored(found.at) < before:
                yield found.name


def _without_file(folders: Sequence[str]) -> list[str]:
    """Return those of our own ``folders`` that have the content of no file."""
    # Each content has its own folder, and a file system may spell the names in it anew.
    named = File.objects.annotate(folder=Substr("content", 1, _FOLDER_LENGTH))
    unused = UnusedContent.objects.annotate(folder=Substr("name", 1, _FOLDER_LENGTH))
    of_files, of_moves = (
        contents.filter(folder__in=set(folders)).values_list("folder", flat=True)
        for contents in (named, unused)
    )
    known = set(of_files.union(of_moves))
    return [folder for folder in folders if folder not in known]


def _own_folders(storage: Storage) -> Iterator[str]:
    """Yield the folders in which this app stores contents, one in each."""
    with storage_errors():
        try:
            folders, _ = storage.listdir(OWN_FOLDER)
        except FileNotFoundError:  # nothing was stored yet
            return
    for folder in sorted(folders):
        if is_own(f"{OWN_FOLDER}/{folder}/x"):
            yield f"{OWN_FOLDER}/{folder}"


def _folder_of(name: str) -> str:
    return name[:_FOLDER_LENGTH]
