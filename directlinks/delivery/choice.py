"""Which backend delivers the contents of a storage."""

from django.core.files.storage import Storage
from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.redirect import RedirectBackend
from directlinks.delivery.signed import SignedBackend
from directlinks.storage import has_local_paths


def backend_for(storage: Storage) -> DeliveryBackend:
    """What the site has chosen, or else what ``storage`` can do."""
    made = conf.made.get(id(storage))
    if made is None:
        # With the storage, so that nothing else comes to have its id.
        made = conf.made[id(storage)] = (_made(storage), storage)
    backend: DeliveryBackend = made[0]
    return backend


def _made(storage: Storage) -> DeliveryBackend:
    chosen = conf.delivery
    if chosen is not None:
        backend: DeliveryBackend = import_string(chosen["BACKEND"])(
            storage, **chosen.get("OPTIONS", {})
        )
        return backend
    return SignedBackend(storage) if has_local_paths(storage) else RedirectBackend(storage)
