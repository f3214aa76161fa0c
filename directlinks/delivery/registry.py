"""What is known of storages of other packages, without importing them."""

from typing import Generic, TypeVar

from django.core.files.storage import Storage

Known = TypeVar("Known")


class StorageRegistry(Generic[Known]):
    """Something for each storage class, by its dotted path; subclasses inherit it."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def register(self, storage_class: str, known: Known) -> None:
        self._known[storage_class] = known

    def of(self, storage: Storage) -> Known | None:
        """What is known of the class of ``storage``, or of the nearest class that it extends."""
        for kind in type(storage).__mro__:
            known = self._known.get(f"{kind.__module__}.{kind.__qualname__}")
            if known is not None:
                return known
        return None
