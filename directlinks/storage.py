"""Where contents are stored."""

import os
from collections.abc import Callable

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
    return lacking_bytes(content.storage)(str(content))


def lacking_bytes(storage: Storage) -> Callable[[str], bool]:
    """What tells of a name whether it is certain that ``storage`` has no bytes under it.

    Remote storages are not asked: a batch would mean a request for each file.
    """
    if not has_local_paths(storage):
        return lambda name: not name
    if not _is_plain_folder(storage):
        return lambda name: not name or not _exists(storage, name)
    folder = f"{storage.path('')}/"

    def is_lacking(name: str) -> bool:
        # A name that may lead elsewhere is for the storage to judge, at five times the price.
        if ".." in name or name.startswith("/"):
            return not _exists(storage, name)
        return not name or not os.path.lexists(folder + name)

    return is_lacking


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
        return storage.exists(name)
    except SuspiciousFileOperation:  # a name that leads out of the storage
        return False
