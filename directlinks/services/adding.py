"""Adding files: by copying local ones, or by adopting what a storage holds already."""

import errno
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.base import File as DjangoFile
from django.core.files.storage import FileSystemStorage, Storage

from directlinks.core import content_types
from directlinks.core.errors import LinkNotFound
from directlinks.delivery.objects import are_listed, is_opened_by, objects_below
from directlinks.delivery.reading import open_content, open_regular
from directlinks.models import File, validate_path
from directlinks.storage import OWN_FOLDER, has_local_paths, is_forbidden
from directlinks.storage_errors import storage_errors
from directlinks.users import owner_key


class Outcome(Enum):
    """What became of a file."""

    ADDED = "added"
    REPLACED = "replaced"
    KEPT = "there already"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to add: where its bytes are, and the path that it is to have in its owner's space."""

    place: str
    path: str


LeaveOut = Callable[[str, str], None]
"""Called with the place of an entry of a folder that is not added, and with what it is."""


def _say_nothing(place: str, kind: str) -> None:
    """Ignore what is left out."""


def local_sources(
    place: Path, into: str = "", *, leave_out: LeaveOut = _say_nothing
) -> Iterator[Source]:
    """Yield the file at ``place``, or every file of the folder there, under the folder ``into``.

    A folder keeps its own name. Symbolic links in it are left out, because they may lead to what
    was not meant to be published, and so is all that is no regular file. Raise FileNotFoundError,
    or OSError if ``place`` itself is no regular file.
    """
    root = place.resolve(strict=True)
    if not root.is_dir():
        if not root.is_file():
            raise _irregular(str(place))
        # The name that was given, even if it is a link to a file of another name.
        yield Source(str(root), _join(into, place.name))
        return
    for file in sorted(_files_below(root, leave_out)):
        yield Source(str(file), _join(into, root.name, *file.relative_to(root).parts))


def stored_sources(
    storage: Storage, name: str, into: str = "", *, leave_out: LeaveOut = _say_nothing
) -> Iterator[Source]:
    """Yield the content called ``name`` in ``storage``, or every one in the folder of that name.

    "." is the whole storage; the contents that this app stored itself are left out, and what
    ``local_sources`` leaves out. Raise FileNotFoundError, ValidationError if ``name`` leads into
    our own folder, SuspiciousFileOperation if ``name`` or a symbolic link leads out of the storage,
    OSError if it is no regular file, or StorageError.
    """
    name = "" if name == "." else name.strip("/")
    if _is_own(posixpath.normpath(name)):
        raise ValidationError("Contents that this app has stored already belong to files.")
    if are_listed(storage):
        yield from _listed_below(storage, name, into, leave_out)
    elif _is_stored_folder(storage, name):
        if not _is_below_root(storage, name):
            raise SuspiciousFileOperation("This leads out of the storage.")
        yield from _stored_below(storage, name, into, leave_out)
    else:
        yield _stored(storage, name, into)


def _stored(storage: Storage, name: str, into: str) -> Source:
    with storage_errors():
        is_there = storage.exists(name)
    if not is_there:
        raise FileNotFoundError(
            f"The storage has nothing of the name {name!r}, which counts from its root."
        )
    if is_forbidden(storage, name):
        raise _irregular(name)
    return Source(name, _join(into, name))


def _listed_below(storage: Storage, name: str, into: str, leave_out: LeaveOut) -> Iterator[Source]:
    is_empty = True
    for found in objects_below(storage, name):
        is_empty = False
        if _is_own(found.name):
            continue
        if is_opened_by(storage, found.name):
            yield Source(found.name, _join(into, found.name))
        else:
            leave_out(found.name, "an object whose name is no path")
    if name and is_empty:
        yield _stored(storage, name, into)


def _stored_below(storage: Storage, name: str, into: str, leave_out: LeaveOut) -> Iterator[Source]:
    folders, files = storage.listdir(name)
    for place in (_join(name, file) for file in sorted(files)):
        if (kind := _kind_in(storage, place)) is None:
            yield Source(place, _join(into, place))
        else:
            leave_out(place, kind)
    for place in (_join(name, folder) for folder in sorted(folders)):
        if (kind := _kind_in(storage, place)) is not None:
            leave_out(place, kind)
        elif not _is_own(place):
            yield from _stored_below(storage, place, into, leave_out)


def add_file(
    *, owner: Any, source: Source, adopt: bool, replace: bool, dry_run: bool = False
) -> Outcome:
    """Add one file to ``owner``'s space; an existing file there stays, unless ``replace``.

    With ``adopt`` the row names the contents in place, else they are copied. The row is written
    after the contents, so an interrupted run leaves no half file and can be run again. Raise
    ValidationError if the path cannot be stored, or OSError.
    """
    validate_path(source.path)
    existing = File.objects.at([(owner_key(owner), source.path)]).first()
    if existing is not None and not replace:
        return Outcome.KEPT
    if existing is not None and existing.source_key is not None:
        raise ValidationError(f"It belongs to {existing.storage_alias} {existing.source_key}.")
    if not dry_run:
        file = existing or File(owner=owner, path=source.path)
        if adopt:
            file.content = source.place
            file.save()
            _find_charset(file)
        else:
            with open_regular(source.place)[0] as local:
                file.content = DjangoFile(local, name=file.name)
                file.save()
    return Outcome.ADDED if existing is None else Outcome.REPLACED


def _find_charset(file: File) -> None:
    """Complete the type of a text in a remote storage, which saving it did not read."""
    storage = file.content.storage
    if has_local_paths(storage) or not content_types.is_text_without_charset(file.content_type):
        return
    with suppress(LinkNotFound):  # it was removed since: visitors and the doctor are told
        content = open_content(storage, str(file.content))
        length = min(content.size, content_types.SAMPLE_BYTES)
        with closing(content.part(0, length)) as part:
            file.content_type = content_types.with_charset(file.content_type, part.read(length))
    file.save(update_fields=["content_type"])


def _is_own(name: str) -> bool:
    return name == OWN_FOLDER or name.startswith(f"{OWN_FOLDER}/")


def _join(*names: str) -> str:
    return "/".join(name.strip("/") for name in names if name.strip("/"))


def _files_below(folder: Path, leave_out: LeaveOut) -> Iterator[Path]:
    for entry in folder.iterdir():
        if (kind := _kind(entry.lstat().st_mode)) is not None:
            leave_out(str(entry), kind)
        elif entry.is_dir():
            yield from _files_below(entry, leave_out)
        else:
            yield entry


def _kind(mode: int) -> str | None:
    """Return what an entry of a folder is, if it is neither a regular file nor a folder."""
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    return "a symbolic link" if stat.S_ISLNK(mode) else "no regular file"


def _kind_in(storage: Storage, name: str) -> str | None:
    """Return what ``_kind`` returns for ``name`` in a storage, None if that is not a local one."""
    try:
        return _kind(Path(storage.path(name)).lstat().st_mode)
    except (NotImplementedError, OSError):
        return None


def _is_below_root(storage: Storage, name: str) -> bool:
    """Return False if a symbolic link leads to the folder ``name`` from outside of the storage."""
    if not isinstance(storage, FileSystemStorage):
        return True
    return Path(storage.path(name)).resolve().is_relative_to(Path(storage.location).resolve())


def _irregular(place: str) -> OSError:
    return OSError(errno.ENXIO, "Not a regular file in its place", place)


def _is_stored_folder(storage: Storage, name: str) -> bool:
    if has_local_paths(storage):
        return Path(storage.path(name)).is_dir()
    # Elsewhere a folder is a name that others begin with.
    return any(storage.listdir(name))
