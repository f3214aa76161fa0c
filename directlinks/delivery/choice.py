"""Which backend delivers the contents of a storage."""

from functools import lru_cache

from django.core.files.storage import Storage
from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.redirect import RedirectBackend
from directlinks.delivery.signed import SignedBackend
from directlinks.storage import has_local_paths


def backend_for(storage: Storage) -> DeliveryBackend:
    """What the site has chosen, or else what ``storage`` can do."""
    chosen = conf.delivery
    if chosen is not None:
        backend: DeliveryBackend = import_string(chosen["BACKEND"])(
            storage, **chosen.get("OPTIONS", {})
        )
        return backend
    return _fitting(storage)


# What a storage can do stays the same, and each visit asks.
@lru_cache(maxsize=8)
def _fitting(storage: Storage) -> DeliveryBackend:
    return SignedBackend(storage) if has_local_paths(storage) else RedirectBackend(storage)
