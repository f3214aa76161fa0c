"""The delivery backend of a storage: as set by the site, or else by what it can do."""

from django.core.files.storage import Storage, storages
from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.delivery.backends.signed_url import SignedURLBackend
from directlinks.delivery.backends.storage_url import StorageURLBackend
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.download import Download
from directlinks.registry import registration_named
from directlinks.storage import are_same, has_local_paths


def backend_of_download(download: Download) -> DeliveryBackend:
    """Return the backend that delivers ``download``, by where its content lies."""
    return get_delivery_backend(download.content.storage, download.storage_alias)


def get_delivery_backend(storage: Storage, alias: str | None = None) -> DeliveryBackend:
    """Return what the site has chosen, or else what ``storage`` can do.

    Without ``alias``, it is the storage that new contents go to.
    """
    alias = conf.storage_alias if alias is None else alias
    made = conf.made.get((alias, id(storage)))
    if made is None:
        # With the storage, so that nothing else comes to have its id.
        made = conf.made[alias, id(storage)] = (_made(storage, alias), storage)
    backend: DeliveryBackend = made[0]
    return backend


def _made(storage: Storage, alias: str) -> DeliveryBackend:
    if registration_named(alias) is not None and not conf.is_delivery_chosen(alias):
        # A registered field is delivered as the storage in STORAGES that it uses.
        alias = next(
            (one for one in conf.storage_aliases if are_same(storages[one], storage)), alias
        )
    chosen = conf.delivery_of(alias)
    if chosen is not None:
        kind: type[DeliveryBackend] = import_string(chosen["BACKEND"])
        # A web server that is told to send files knows one folder: where new contents go.
        if alias == conf.storage_alias or chosen is not conf.DELIVERY or not kind.needs_local_paths:
            return kind(storage, **chosen.get("OPTIONS", {}))
    return SignedURLBackend(storage) if has_local_paths(storage) else StorageURLBackend(storage)
