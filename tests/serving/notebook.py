"""A counter that counts on paper, for tests to read."""

from typing import Any

from directlinks.counters.base import Counter


class Notebook(Counter):
    """A link on the list of the closed ones is none to it."""

    counted: list[int] = []
    closed: set[int] = set()

    def count(self, link: int, now: Any) -> bool:
        if link in self.closed:
            return False
        self.counted.append(link)
        return True


NOTEBOOK = {"BACKEND": f"{__name__}.Notebook"}
