"""Where contents are stored."""

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage, storages
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
    if not content:
        return True
    if not has_local_paths(content.storage):
        return False
    try:
        return not content.storage.exists(str(content))
    except SuspiciousFileOperation:  # a name that leads out of the storage
        return True
