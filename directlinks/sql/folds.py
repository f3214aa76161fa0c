"""Adding downloads, collected outside the database, to links and their days.

Three statements for any number of links. The ORM compiles an expression for each link, which
takes a process a second for a thousand of them: as long as it took to collect them.
``plain_folds.py`` says the same through the ORM; the tests compare them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.sql.fold_texts import FoldTexts


class Collected(NamedTuple):
    """Downloads of one link: when the latest was, and how many there were on each day."""

    link: int
    latest: datetime
    days: Mapping[date, int]

    @property
    def times(self) -> int:
        return sum(self.days.values())


class Folds(ABC):
    """What adding downloads asks of the tables."""

    @abstractmethod
    def add(self, collected: Sequence[Collected]) -> set[int]:
        """Add ``collected``, in the order of their links, and return which links are there.

        The others were deleted and are left out. It is for a transaction: the rows of the links are
        locked in the order given, and those of their days after them, as each visit does, so
        deadlocks cannot occur.
        """


class WrittenFolds(Folds):
    """The statements in ``texts``."""

    def __init__(self, connection: BaseDatabaseWrapper, texts: FoldTexts) -> None:
        self.connection = connection
        self.texts = texts

    def add(self, collected: Sequence[Collected]) -> set[int]:
        if not collected:
            return set()
        with self.connection.cursor() as cursor:
            cursor.execute(self.texts.lock, [json.dumps([(one.link,) for one in collected])])
            there = {link for (link,) in cursor.fetchall()}
            left = [one for one in collected if one.link in there]
            if left:
                cursor.execute(self.texts.add_to_links, [self._by_link(left)])
                cursor.execute(self.texts.add_to_days, [self._by_day(left)])
        return there

    def _by_link(self, collected: Sequence[Collected]) -> str:
        written = _each_once(self.connection.ops.adapt_datetimefield_value)
        return json.dumps([(one.link, one.times, written(one.latest)) for one in collected])

    def _by_day(self, collected: Sequence[Collected]) -> str:
        written = _each_once(self.connection.ops.adapt_datefield_value)
        return json.dumps(
            [
                (one.link, written(day), times)
                for one in collected
                for day, times in sorted(one.days.items())
            ]
        )


def _each_once(written: Callable[[Any], Any]) -> Callable[[Any], str]:
    """``written`` as text: what is asked a thousand times has few different answers."""
    return cache(lambda value: str(written(value)))
