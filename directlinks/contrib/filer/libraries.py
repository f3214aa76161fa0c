"""The files of django-filer, of which images are a kind, as files that may have links if public."""

from collections.abc import Collection
from typing import Any

from django.core.files.storage import Storage
from django.db.models import Q
from filer.models import File

from directlinks import registry
from directlinks.services import following
from directlinks.services.mirrors import objects_of

FIELD = "file"
# FolderPermission says who may see files in the admin, and who may read private files. Public files
# are open to all in any folder, so links to them do not depend on it.
IS_PUBLIC = Q(is_public=True)


def register() -> None:
    """Register the files, unless the site has registered them itself."""
    if registry.registration_named(f"{registry.label_of(File)}.{FIELD}") is None:
        following.register(File, FIELD, owner="owner", when=IS_PUBLIC, storage=public_storage)


def public_storage() -> Storage:
    """Return the storage of public files. Private files lie in another one."""
    field: Any = File._meta.get_field(FIELD)
    storage: Storage = field.storages["public"]
    return storage


def follow_new_contents(keys: Collection[Any]) -> None:
    """Update the links of the files with ``keys``, whose contents changed under their names."""
    for registration in registry.registrations_of(File):
        objects = objects_of(registration).filter(pk__in=keys)
        following.follow(registration, objects, have_new_contents=True)
