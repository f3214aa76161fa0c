"""Pruning: what is dead and old, and nothing that could bring a code back or miss its bytes.

A revoked code must never open another file. What is random enough cannot come back by chance, so
where codes are long their rows may go; where they are short, the rows are kept for ever.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import Storage
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Substr

from directlinks.conf import conf
from directlinks.core.codes import may_repeat
from directlinks.datetimes import as_stored, day_of
from directlinks.models import (
    DailyDownloads,
    DirectLink,
    File,
    FoldedBatch,
    IdempotentRequest,
    UnusedContent,
)
from directlinks.services.walking import in_steps, walk
from directlinks.storage import OWN_FOLDER, has_local_paths

# A machine that comes back after so long could still bring a journal that was added already.
FOLDED = timedelta(days=366)

# A file's bytes are stored before its row: what is younger may be waiting for one.
UPLOADING = timedelta(days=1)

# As ``content_name`` makes them.
_TOKEN_LENGTH = 32
_TOKEN = re.compile(rf"[0-9a-f]{{{_TOKEN_LENGTH}}}")
_OWN = re.compile(rf"{OWN_FOLDER}/{_TOKEN.pattern}/[^/]+")


def old_requests(now: datetime) -> "QuerySet[IdempotentRequest, IdempotentRequest]":
    """Answers that no client may ask to repeat any more."""
    return IdempotentRequest.objects.outdated(now)


def old_batches(now: datetime) -> "QuerySet[FoldedBatch, FoldedBatch]":
    """Batches of counts that nobody will find again."""
    return FoldedBatch.objects.filter(folded_at__lt=now - FOLDED)


def old_days(now: datetime, age: timedelta) -> "QuerySet[DailyDownloads, DailyDownloads]":
    """Counts of days that are more than ``age`` ago. The links keep their totals."""
    return DailyDownloads.objects.filter(day__lt=day_of(now) - age)


def dead_links(now: datetime, age: timedelta) -> "QuerySet[DirectLink, DirectLink]":
    """Links that were revoked, expired or opened for the last possible time ``age`` ago."""
    then = now - age
    used_up = Q(max_downloads__lte=F("downloads"), last_opened_at__lt=then)
    found: QuerySet[DirectLink, DirectLink] = DirectLink.objects.filter(
        Q(revoked_at__lt=then) | Q(expires_at__lt=then) | used_up
    )
    return found


def codes_never_return() -> bool:
    """Whether the site's codes hold so many random bits that no new one is ever an old one."""
    return not may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET)


def delete_in_steps(rows: "QuerySet[Any, Any]") -> Iterator[int]:
    """Delete ``rows``, and what belongs to them; yields the number of each step, done for good."""
    for step in walk(rows.only("pk")):
        # What became alive again meanwhile stays.
        still = rows.filter(pk__in=[row.pk for row in step])
        _, deleted = still.delete()
        yield deleted.get(rows.model._meta.label, 0)


def contents_without_file(storage: Storage, now: datetime) -> Iterator[str]:
    """The names of contents in our own folder of ``storage`` that no file has, trash included.

    Young ones are left out, because their files may be about to be saved, and so is whatever does
    not look as if we had stored it, or was moved and may still be visited. One statement for every
    STEP folders.
    """
    # By folder, for each content has its own, and a file system may spell the names in it anew.
    length = len(f"{OWN_FOLDER}/") + _TOKEN_LENGTH
    named = File.objects.annotate(folder=Substr("content", 1, length))
    unused = UnusedContent.objects.annotate(folder=Substr("name", 1, length))
    for folders in in_steps(_own_folders(storage)):
        of_files, of_moves = (
            contents.filter(folder__in=folders).values_list("folder", flat=True)
            for contents in (named, unused)
        )
        known = set(of_files.union(of_moves))
        for folder in folders:
            if folder not in known:
                names = (f"{folder}/{name}" for name in sorted(storage.listdir(folder)[1]))
                yield from (n for n in names if _stored_at(storage, n) < now - UPLOADING)


def is_own(name: str) -> bool:
    """Return True if this app has stored the content called ``name``, and the site has not."""
    return _OWN.fullmatch(name) is not None


def remove_content(storage: Storage, name: str) -> None:
    """Delete the bytes called ``name``, and the folder that they had for themselves."""
    storage.delete(name)
    if has_local_paths(storage):
        with suppress(OSError):  # something else is in it
            storage.delete(name.rpartition("/")[0])


def _own_folders(storage: Storage) -> Iterator[str]:
    """Where this app stores contents, one in each."""
    try:
        folders, _ = storage.listdir(OWN_FOLDER)
    except FileNotFoundError:  # nothing was stored yet
        return
    yield from (f"{OWN_FOLDER}/{folder}" for folder in sorted(folders) if _TOKEN.fullmatch(folder))


def _stored_at(storage: Storage, name: str) -> datetime:
    return as_stored(storage.get_modified_time(name))
