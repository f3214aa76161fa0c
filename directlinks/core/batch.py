"""The result of an operation on many URIs: what succeeded, in order, and what did not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from directlinks.core.errors import DirectLinksError

Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(slots=True)
class Batch(Generic[Item]):
    """``items`` in the order asked, failed ones left out; ``errors`` by canonical URI."""

    items: list[Item] = field(default_factory=list)
    errors: dict[str, DirectLinksError] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return not self.errors

    @property
    def summary(self) -> str:
        """One line for all errors: the error itself where there is only one."""
        if self.is_complete:
            return ""
        if len(self.errors) == 1:
            (error,) = self.errors.values()
            return error.text
        return "One or more operation failed"

    def map(self, change: Callable[[Item], Other]) -> "Batch[Other]":
        """The same batch with ``change`` applied to each item."""
        return Batch([change(item) for item in self.items], self.errors)
