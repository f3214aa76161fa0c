"""What is known of storages of other packages, without importing them."""

from typing import Generic, TypeVar

from django.core.files.storage import Storage

Known = TypeVar("Known")


class StorageRegistry(Generic[Known]):
    """Something for each storage class, by its dotted path; subclasses inherit it."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._found: dict[type, Known | None] = {}

    def register(self, storage_class: str, known: Known) -> None:
        self._known[storage_class] = known
        self._found = {}  # a new one: a look-up under way writes into the old one

    def of(self, storage: Storage) -> Known | None:
        """What is known of the class of ``storage``, or of the nearest class that it extends."""
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
