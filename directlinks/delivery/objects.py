"""Listing the objects in a storage by pages, and deleting them in batches.

Django's storages list one folder at a time, tell dates by a request for each name, and delete one
name at a time; that of Azure knows no folders and lists everything below. So each storage of
django-storages is called through its provider's own API here, without importing it.
"""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.core.files.storage import Storage

from directlinks.core.errors import StorageTimeout, StorageUnavailable
from directlinks.storage import StorageRegistry
from directlinks.storage_errors import Tell, reported_errors, storage_errors


class StoredObject(NamedTuple):
    """An object by the ``name`` that its storage gives it, stored ``at`` this aware datetime."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Provider:
    """How a storage class lists and deletes objects. It calls their whole names keys.

    ``key_of`` gives the key of a name, ``listed`` the objects whose keys begin with a text, by
    pages, and ``delete`` deletes up to ``most`` keys by one request and returns those that were
    refused. If it raises, any of them may be left.
    """

    key_of: Callable[[Any, str], str]
    listed: Callable[[Any, str], Iterable[StoredObject]]
    delete: Callable[[Any, Sequence[str]], Collection[str]]
    most: int


_providers: StorageRegistry[Provider] = StorageRegistry()


def are_listed(storage: Storage) -> bool:
    """Return True if ``objects_below`` can ask ``storage``."""
    return _providers.of(storage) is not None


def objects_below(storage: Storage, folder: str) -> Iterator[StoredObject]:
    """Yield the objects in ``folder`` and in the folders below it, in the order of the bucket.

    "" is the whole storage. What stands for an empty folder is left out. Raise StorageError.
    """
    provider = _provider_of(storage)
    root = _root(provider, storage)
    with storage_errors():
        for found in provider.listed(storage, f"{root}{folder}/" if folder else root):
            if not found.name.endswith("/"):
                yield StoredObject(found.name[len(root) :], found.at)


def is_opened_by(storage: Storage, name: str) -> bool:
    """Return True if ``storage``, which tidies names, opens the object that is listed so."""
    provider = _provider_of(storage)
    if name != posixpath.normpath(name) or "\\" in name or name.startswith(("/", "../")):
        return False
    return provider.key_of(storage, name) == _root(provider, storage) + name


def delete_contents(storage: Storage, names: Sequence[str], tell: Tell) -> None:
    """Delete ``names`` from ``storage`` by few requests; ``tell`` of each that is left."""
    provider = _providers.of(storage)
    if provider is None or not _deletes_as_published(storage):
        _delete_each(storage, names, tell)
        return
    for first in range(0, len(names), provider.most):
        batch = names[first : first + provider.most]
        keys = {provider.key_of(storage, name): name for name in batch}
        try:
            with storage_errors():
                left = [keys[key] for key in provider.delete(storage, list(keys))]
        except (StorageTimeout, StorageUnavailable) as error:
            for name in batch:
                tell(name, error)
        except Exception:  # noqa: BLE001  # each name tells its own below
            # Some servers know no batches, and of some packages it cannot be learnt which are left.
            _delete_each(storage, batch, tell)
        else:
            _delete_each(storage, left, tell)


def _delete_each(storage: Storage, names: Iterable[str], tell: Tell) -> None:
    for name in names:
        with reported_errors(name, tell):
            storage.delete(name)


def _provider_of(storage: Storage) -> Provider:
    provider = _providers.of(storage)
    assert provider is not None  # noqa: S101  # callers ask are_listed()
    return provider


def _root(provider: Provider, storage: Storage) -> str:
    """Return what all keys of ``storage`` begin with: its location."""
    return provider.key_of(storage, "x")[:-1]


def _deletes_as_published(storage: Storage) -> bool:
    """Return False if a class of the site deletes in a way of its own, as one that keeps copies."""
    method: Any = storage.delete
    return str(method.__module__).startswith("storages.backends.")


def _normalized(storage: Any, name: str) -> str:
    key: str = storage._normalize_name(name)
    return key


def _without_dots(storage: Any, name: str) -> str:
    key: str = storage._get_valid_path(name)
    return key


def _s3_listed(storage: Any, prefix: str) -> Iterator[StoredObject]:
    for found in storage.bucket.objects.filter(Prefix=prefix):
        yield StoredObject(found.key, found.last_modified)


def _s3_delete(storage: Any, keys: Sequence[str]) -> Collection[str]:
    objects = [{"Key": key} for key in keys]
    answer = storage.bucket.delete_objects(Delete={"Objects": objects, "Quiet": True})
    return [fault["Key"] for fault in answer.get("Errors", ())]


def _azure_listed(storage: Any, prefix: str) -> Iterator[StoredObject]:
    found = storage.client.list_blobs(
        name_starts_with=prefix, include=["metadata"], timeout=storage.timeout
    )
    for blob in found:
        # An account with a hierarchical namespace lists its folders, too.
        if (blob.metadata or {}).get("hdi_isfolder", "").lower() != "true":
            yield StoredObject(blob.name, blob.last_modified)


def _azure_delete(storage: Any, keys: Sequence[str]) -> Collection[str]:
    storage.client.delete_blobs(*keys, timeout=storage.timeout)
    return ()


def _google_listed(storage: Any, prefix: str) -> Iterator[StoredObject]:
    for blob in storage.bucket.list_blobs(prefix=prefix):
        yield StoredObject(blob.name, blob.updated)


def _google_delete(storage: Any, keys: Sequence[str]) -> Collection[str]:
    with storage.client.batch():
        for key in keys:
            storage.bucket.delete_blob(key)
    return ()


# The numbers are the providers' own.
_providers.register(
    "storages.backends.s3.S3Storage", Provider(_normalized, _s3_listed, _s3_delete, 1000)
)
_providers.register(
    "storages.backends.azure_storage.AzureStorage",
    Provider(_without_dots, _azure_listed, _azure_delete, 256),
)
_providers.register(
    "storages.backends.gcloud.GoogleCloudStorage",
    Provider(_normalized, _google_listed, _google_delete, 100),
)
