"""The storage of contents, and what can be said of local ones without a request."""

import errno
import os
import stat
from collections.abc import Collection, Iterable
from functools import cache
from typing import Generic, TypeGuard, TypeVar

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import (
    FileSystemStorage,
    InMemoryStorage,
    InvalidStorageError,
    Storage,
    storages,
)
from django.db.models.fields.files import FieldFile

from directlinks.conf import conf

OWN_FOLDER = "directlinks"
"""Where contents that are uploaded or copied lie in the storage."""

# What a storage would do its own way if it kept its files elsewhere, or not as they are.
_METHODS = ("exists", "path", "size", "open", "_open")
_PLAIN = (*_METHODS, "location", "base_location")


def content_storage() -> Storage:
    """Return the storage ``directlinks`` if the site has one, else its default storage.

    A migration names this function, so migrations do not depend on a site's storage.
    """
    return storages[conf.storage_alias]


def content_alias() -> str:
    """Return the alias in STORAGES of the storage that new contents go to."""
    return conf.storage_alias


def has_local_paths(storage: Storage) -> bool:
    """Return True if ``storage`` reads local files or memory, without a request."""
    try:
        storage.path("name")
    except NotImplementedError:
        return False
    return True


def lacks_bytes(content: FieldFile) -> bool:
    """Return True if ``content`` is certainly missing, without asking a remote storage."""
    try:
        storage = content.storage
    except InvalidStorageError:
        return True
    return bool(without_bytes(storage, [str(content)]))


def without_bytes(storage: Storage, names: Collection[str]) -> set[str]:
    """Return those of ``names`` that are certainly missing in ``storage``.

    Remote storages are not asked: a batch would mean a request for each file.
    """
    if not has_local_paths(storage):
        return {name for name in names if not name}
    if not is_plain_folder(storage):
        return {name for name in names if not _exists(storage, name)}
    try:
        return _not_in(str(storage.location), names, storage)
    except ValueError:  # a name that the file system cannot spell, which the storage can tell
        return {name for name in names if not _exists(storage, name)}


def _not_in(folder: str, names: Iterable[str], storage: Storage) -> set[str]:
    """Return those of ``names`` that are no file in ``folder``. Raise ValueError."""
    return {
        name
        for name in names
        if not (
            os.access(f"{folder}/{name}", os.F_OK)
            if name and _stays_below(name)
            else _exists(storage, name)
        )
    }


def local_path(storage: FileSystemStorage, name: str) -> str:
    """Return the path of ``name`` in a plain folder.

    Raise SuspiciousFileOperation if it leads out.
    """
    return f"{storage.location}/{name}" if _stays_below(name) else storage.path(name)


def _stays_below(name: str) -> bool:
    """Return True if ``name`` plainly leads below the folder that it is put behind.

    Other names are checked by the storage, at five times the cost.
    """
    return ".." not in name and "\0" not in name and not name.startswith("/")


def is_inside(storage: FileSystemStorage, descriptor: int, path: str) -> bool:
    """Return True if the file that was opened at ``path`` lies in the folder of ``storage``.

    A symbolic link may lead out of it, and may have been put there a moment ago. So the kernel is
    asked where the open file is; only systems without ``/proc`` look at its path once more.
    """
    try:
        place = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  # at each download
    except OSError:
        place = os.path.realpath(path)
    location = str(storage.location)
    # The folder of a storage is seldom behind a link itself, but may be, and that may change.
    return _is_below(location, place) or _is_below(os.path.realpath(location), place)


def _is_below(folder: str, place: str) -> bool:
    return place.startswith(f"{folder.rstrip('/')}/")


# The file does not exist for any user; a circle of symbolic links leads to none.
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

# Do not wait for what is no file, nor need the right to read it if the system has O_PATH.
_LOOK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK)


def is_forbidden(storage: Storage, name: str) -> bool:
    """Return True if a local ``storage`` has under ``name`` what must not be served.

    That is all but regular files in its folder; a symbolic link may lead out of it. A content that
    is missing is not forbidden, nor is one that a storage of another kind keeps elsewhere. Raise
    OSError if that cannot be seen: what a web server is told to send may be anything then.
    """
    if not isinstance(storage, FileSystemStorage):
        return False
    path = storage.path(name)
    if not _is_below(str(storage.location), path):
        return False
    try:
        descriptor = os.open(path, _LOOK)
    except ValueError:
        return False
    except OSError as error:
        if error.errno in _MISSING:
            return False
        raise
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return not (is_file and is_inside(storage, descriptor, path))
    finally:
        os.close(descriptor)


def are_same(one: Storage, other: Storage) -> bool:
    """Return True if a name certainly means the same file in both storages."""
    if one == other:  # also if one of them is Django's lazy default_storage
        return True
    one, other = (vars(each).get("_wrapped", each) for each in (one, other))
    if is_plain_folder(one) and is_plain_folder(other):
        return str(one.location) == str(other.location)
    # What makes a storage anew for a migration makes the same one; each memory is another.
    if isinstance(one, InMemoryStorage):
        return False
    origins = [each.deconstruct() for each in (one, other) if hasattr(each, "deconstruct")]
    return len(origins) == 2 and origins[0] == origins[1]


def is_plain_folder(storage: Storage) -> TypeGuard[FileSystemStorage]:
    """Return True if ``storage`` finds its files as Django's FileSystemStorage does."""
    own: type = type(storage)
    return _is_plain(own) and vars(storage).keys().isdisjoint(_METHODS)


@cache
def _is_plain(own: type) -> bool:
    return (
        issubclass(own, FileSystemStorage)
        and all(getattr(own, name) is getattr(FileSystemStorage, name) for name in _PLAIN)
        and os.sep == "/"
    )


def _exists(storage: Storage, name: str) -> bool:
    try:
        return bool(name) and storage.exists(name)
    except SuspiciousFileOperation:  # a name that leads out of the storage
        return False


Known = TypeVar("Known")


class StorageRegistry(Generic[Known]):
    """Values by the dotted path of a storage class; subclasses inherit them."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._found: dict[type, Known | None] = {}

    def register(self, storage_class: str, known: Known) -> None:
        self._known[storage_class] = known
        self._found = {}  # a new one: a look-up under way writes into the old one

    def of(self, storage: Storage) -> Known | None:
        """Return the value for the class of ``storage``, or for its nearest base class."""
        kind, found = type(storage), self._found
        if kind not in found:
            found[kind] = self._nearest(kind)
        return found[kind]

    def _nearest(self, storage_class: type) -> Known | None:
        for kind in storage_class.__mro__:
            known = self._known.get(f"{kind.__module__}.{kind.__qualname__}")
            if known is not None:
                return known
        return None
