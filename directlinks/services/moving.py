"""Moving contents to another storage while their links are followed.

A row says in which storage its content lies, so a site goes on with one half of its files here and
the other half there. Each file takes these steps, and a process may be killed between any two:

1. The name of the copy, which nothing else has, is noted as that of an unused content.
2. The copy is written, read back and compared: its size and SHA-256 are those of what was read.
3. In one transaction the row, if it still is as it was read, names the copy; the note about the
   copy goes, and the former content is noted as unused.
4. The former content is deleted once no address that was handed out before can lead to it.

So no row ever names what is missing or half written. What a killed process leaves is noted, and
``delete_unused`` deletes it later.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from io import FileIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple, cast

from django.core.files.base import File as DjangoFile
from django.core.files.storage import Storage
from django.db import DatabaseError
from django.utils import timezone

from directlinks.conf import conf
from directlinks.datetimes import from_timestamp, seconds_of
from directlinks.delivery.reading import OpenContent, Readable, open_content, stored_encoding
from directlinks.models import File, UnusedContent
from directlinks.models.contents import new_name
from directlinks.querysets import FileQuerySet, in_batches
from directlinks.services.pruning import UPLOADING, is_own, remove_content
from directlinks.storage import StorageRegistry, are_same
from directlinks.storage_errors import storage_error

# For a visit that is under way, and for clocks that differ.
MARGIN = timedelta(minutes=1)

_BLOCK_BYTES = 512 * 1024
_SPOOL_BYTES = 1024 * 1024
_PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes

_CONTENT: Any = File._meta.get_field("content")


class Outcome(Enum):
    """What became of a content."""

    MOVED = "moved"
    CHANGED = "changed meanwhile"


class NotMoved(Exception):
    """A content stays where it is; the text says why."""


class NotDeleted(Exception):
    """An unused content is there still; the text says why."""


@dataclass(frozen=True, slots=True)
class Move:
    """From which storage to which, by their aliases in STORAGES, and what follows.

    With ``delete`` former contents are noted to be deleted if this app has stored them;
    ``delete_adopted`` says so of those that it has taken over as well.
    """

    source: str
    target: str
    delete: bool = True
    delete_adopted: bool = False
    clock: Callable[[], datetime] = timezone.now


def files_in(alias: str) -> FileQuerySet:
    """Return the files whose contents lie in the storage with ``alias``, those in the trash too."""
    files: FileQuerySet = File.objects.filter(storage_alias=alias).exclude(content="")
    return files


def move_content(file: File, move: Move) -> Outcome:
    """Move the content of ``file``, which was read from its table, as ``move`` says.

    Raise NotMoved if it cannot be read, written, or is not the same there. Nothing has changed
    then, nor if the file was replaced, moved or deleted meanwhile.
    """
    source, target = _storage_at(move.source), _storage_at(move.target)
    if are_same(source, target):
        changes = {"storage_alias": move.target}
        return Outcome.MOVED if _as_read(file, move).update(**changes) else Outcome.CHANGED
    note = UnusedContent.objects.create(
        storage_alias=move.target,
        name=new_name(file),
        delete_after=move.clock() + UPLOADING,
    )
    try:
        copy = _copy(source, str(file.content), target, note)
    except NotMoved:
        _discard(note, target)
        if not _as_read(file, move).exists():
            return Outcome.CHANGED
        raise
    if _switch(file, copy, note, move):
        return Outcome.MOVED
    _discard(note, target)
    return Outcome.CHANGED


def unused_contents(now: datetime, *, dry_run: bool = False) -> Iterator[UnusedContent]:
    """Yield contents that may be deleted at ``now``, and forget those that a file names.

    A file names one again if a process saves what it has read before the move. Two statements for
    every STEP of contents, and one more if there is something to forget.
    """
    for step in in_batches(UnusedContent.objects.filter(delete_after__lte=now)):
        names = [unused.name for unused in step]
        named = set(File.objects.filter(content__in=names).values_list("content", flat=True))
        used = [unused.pk for unused in step if unused.name in named]
        if used and not dry_run:
            UnusedContent.objects.filter(pk__in=used).delete()
        yield from (unused for unused in step if unused.name not in named)


def waiting(now: datetime) -> int:
    """Return how many contents may not be deleted yet at ``now``."""
    return UnusedContent.objects.filter(delete_after__gt=now).count()


def delete_unused(unused: UnusedContent) -> None:
    """Delete a content, then the note about it. Raise NotDeleted if its storage refuses."""
    try:
        storage = _storage_at(unused.storage_alias)
        if is_own(unused.name):
            remove_content(storage, unused.name)
        else:
            storage.delete(unused.name)  # its folder is the site's
    except Exception as error:
        raise NotDeleted(_explained(error)) from error
    unused.delete()


def grace() -> timedelta:
    """Return how long after a move an address that was handed out before may still be good."""
    return timedelta(seconds=conf.TARGET_SECONDS + conf.answer_cache_seconds) + MARGIN


class _Copy(NamedTuple):
    size: int
    modified_ns: int | None


class _Overdue(Exception):
    """Copying took so long that another process may have deleted the copy."""


def _storage_at(alias: str) -> Storage:
    """Return the storage with ``alias``. Raise InvalidStorageError if STORAGES lacks it."""
    storage: Storage = _CONTENT.storage_at(alias)
    return storage


def _as_read(file: File, move: Move) -> FileQuerySet:
    """Return the row of ``file`` if its content is still the one that was read."""
    files: FileQuerySet = File.objects.filter(
        pk=file.pk, storage_alias=move.source, content=str(file.content), version=file.version
    )
    return files


def _switch(file: File, copy: _Copy, note: UnusedContent, move: Move) -> bool:
    """Let the row of ``file`` name the copy. Return False if it is not as it was read."""
    now = move.clock()
    changes: dict[str, Any] = {
        "content": note.name,
        "storage_alias": move.target,
        "size": copy.size,
        "updated_at": now,
    }
    if copy.modified_ns is not None:
        # A file of this machine may have been rewritten since its version was given, and its time
        # was what visitors were told.
        written_at = min(max(copy.modified_ns / 1e9, 0), seconds_of(now))
        changes["content_updated_at"] = from_timestamp(written_at)
        changes["version"] = secrets.token_hex(16)
    try:
        with File.objects.all().atomic():
            if not _as_read(file, move).update(**changes):
                return False
            _forget(note, now)
            if move.delete and (move.delete_adopted or is_own(str(file.content))):
                UnusedContent.objects.create(
                    storage_alias=move.source,
                    name=str(file.content),
                    delete_after=now + grace(),
                )
    except _Overdue:
        return False
    return True


def _forget(note: UnusedContent, now: datetime) -> None:
    """Delete ``note``. Raise _Overdue if its content may be deleted already."""
    deleted, _ = UnusedContent.objects.filter(pk=note.pk, delete_after__gt=now).delete()
    if not deleted:
        raise _Overdue


def _discard(note: UnusedContent, target: Storage) -> None:
    """Delete the copy that is noted. If that fails, the note stays, and is dealt with later."""
    with suppress(Exception):  # what went wrong before is told
        remove_content(target, note.name)
        note.delete()


def _copy(source: Storage, name: str, target: Storage, note: UnusedContent) -> _Copy:
    """Copy ``name`` from ``source`` to what is noted in ``target``, and compare. Raise NotMoved."""
    try:
        content = open_content(source, name)
        with _seekable(content, name) as file:
            digest = _digest(file, content.size)
            file.seek(0)
            given = DjangoFile(file, name=note.name)
            stored = _writing(target).save(note.name, given, max_length=_CONTENT.max_length)
        if stored != note.name:
            note.name = stored
            note.save(update_fields=["name"])
        _check(open_content(target, stored), content.size, digest)
        if content.modified_ns is not None:
            _check_unchanged(content, open_content(source, name))
    except (NotMoved, DatabaseError):
        raise
    except Exception as error:
        raise NotMoved(_explained(error)) from error
    return _Copy(content.size, content.modified_ns)


@contextmanager
def _seekable(content: OpenContent, name: str) -> Iterator[IO[bytes]]:
    """Yield the bytes of ``content`` as a file that can be read again and again.

    Raise NotMoved if they are in an encoding, which the copy would not be known to have.

    Storages read what they are given more than once, at the latest if a request fails. What is not
    a file of this machine is put into a temporary one, unless it is small.
    """
    with closing(content.part(0, content.size)) as part:
        if (encoding := stored_encoding(part, name)) is not None:
            raise NotMoved(f"It is stored with the encoding {encoding}, which a copy would lose.")
        if isinstance(part, FileIO):
            yield part
            return
        with SpooledTemporaryFile(_SPOOL_BYTES) as file:
            for block in _blocks(part, content.size):
                file.write(block)
            file.seek(0)
            yield file


def _check(copy: OpenContent, size: int, digest: str) -> None:
    """Raise NotMoved if ``copy`` is not of this ``size`` and ``digest``."""
    with closing(copy.part(0, copy.size)) as part:
        if copy.size != size or _digest(part, size) != digest:
            raise NotMoved("The copy is not the same as the content.")


def _check_unchanged(content: OpenContent, now: OpenContent) -> None:
    """Raise NotMoved if the file of this machine was written to while it was copied."""
    now.close()
    if (now.size, now.modified_ns) != (content.size, content.modified_ns):
        raise NotMoved("The content was written to while it was copied.")


def _digest(source: Readable, size: int) -> str:
    digest = hashlib.sha256()
    for block in _blocks(source, size):
        digest.update(block)
    return digest.hexdigest()


def _blocks(source: Readable, size: int) -> Iterator[bytes]:
    """Yield the next ``size`` bytes of ``source``. Raise NotMoved if there are fewer."""
    while size:
        block = source.read(min(_BLOCK_BYTES, size))
        if not block:
            raise NotMoved("It ended before its announced length.")
        size -= len(block)
        yield block


def _writing(storage: Storage) -> Storage:
    """Return ``storage``, or the same with less memory for large contents."""
    made = conf.made.get((_writing, id(storage)))
    if made is None:
        known = _frugal.of(storage)
        made = conf.made[_writing, id(storage)] = (
            storage if known is None else known(storage),
            storage,
        )
    writing: Storage = made[0]
    return writing


def _s3(storage: Any) -> Storage:
    """Return ``storage`` sending one part at a time: else it would hold ten of 8 MiB."""
    frugal: Any = copy(storage)
    config = type(storage.transfer_config)
    frugal.transfer_config = config(use_threads=False, multipart_chunksize=_PART_BYTES)
    return cast("Storage", frugal)


_frugal: StorageRegistry[Callable[[Any], Storage]] = StorageRegistry()
_frugal.register("storages.backends.s3.S3Storage", _s3)


def _explained(error: Exception) -> str:
    meaning = storage_error(error)
    return str(error) or type(error).__name__ if meaning is None else meaning.cause
