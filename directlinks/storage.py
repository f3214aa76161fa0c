"""Where contents are stored."""

import os
from collections.abc import Collection, Iterable

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db.models.fields.files import FieldFile

from directlinks.conf import conf


def content_storage() -> Storage:
    """The storage ``directlinks`` if the site has one, else its default storage.

    A migration names this function, so it says nothing of the storage that a site has chosen.
    """
    return storages[conf.storage_alias]


def has_local_paths(storage: Storage) -> bool:
    """Whether ``storage`` answers at once, from files of this machine or from its memory."""
    try:
        storage.path("name")
    except NotImplementedError:
        return False
    return True


def lacks_bytes(content: FieldFile) -> bool:
    """Whether it is certain, without asking a remote storage, that ``content`` has no bytes."""
    return bool(without_bytes(content.storage, [str(content)]))


def without_bytes(storage: Storage, names: Collection[str]) -> set[str]:
    """Those of ``names`` under which ``storage`` certainly has no bytes.

    Remote storages are not asked: a batch would mean a request for each file.
    """
    if not has_local_paths(storage):
        return {name for name in names if not name}
    if not _is_plain_folder(storage):
        return {name for name in names if not _exists(storage, name)}
    try:
        return _not_in(f"{storage.path('')}/", names, storage)
    except ValueError:  # a name that the file system cannot spell, which the storage can tell
        return {name for name in names if not _exists(storage, name)}


def _not_in(folder: str, names: Iterable[str], storage: Storage) -> set[str]:
    """Those of ``names`` that are none of a file in ``folder``. Raises ValueError."""
    return {
        name
        for name in names
        if not (
            os.access(folder + name, os.F_OK)
            # What may lead elsewhere is for the storage to judge, at five times the price.
            if name and ".." not in name and "\0" not in name and not name.startswith("/")
            else _exists(storage, name)
        )
    }


def _is_plain_folder(storage: Storage) -> bool:
    """Whether ``storage`` finds its files as Django's own does, and not in a way of its own."""
    own, djangos = type(storage), FileSystemStorage
    return (
        isinstance(storage, djangos)
        and own.exists is djangos.exists
        and own.path is djangos.path
        and os.sep == "/"
    )


def _exists(storage: Storage, name: str) -> bool:
    try:
        return bool(name) and storage.exists(name)
    except SuspiciousFileOperation:  # a name that leads out of the storage
        return False
