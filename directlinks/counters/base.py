"""Counters of the downloads of links without a download limit."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from directlinks.conf import conf


class Counter(ABC):
    """Base class of counters. Name a subclass in ``DIRECTLINKS["COUNTER"]``.

    Its OPTIONS arrive as keyword arguments. A link with a download limit never comes here: the
    statement that grants a download counts it in the database.
    """

    #: True if counting needs the database, and so can be part of the statement that finds a link.
    in_database: ClassVar[bool] = False

    #: True if downloads wait outside of the database until ``flush`` adds them.
    is_deferred: ClassVar[bool] = False

    #: What counting and flushing raise if the place outside of the database cannot be reached.
    errors: ClassVar[tuple[type[Exception], ...]] = ()

    @abstractmethod
    def count(self, link_id: int, now: datetime) -> bool:
        """Count one download of the link at ``now``, before its response is sent.

        Return False if the link must not be opened, as far as this counter knows.
        """

    def flush(self) -> int:
        """Add to the database what was counted outside of it, and return how many downloads.

        This may be interrupted anywhere and run by several processes at once: each download is
        added exactly once. Raise one of ``errors``.
        """
        return 0

    def pending(self) -> int:
        """Return how many downloads are yet to be added. Raise one of ``errors``."""
        return 0

    def close(self) -> None:  # noqa: B027  # most hold nothing
        """Release threads and files. What waits outside is left for the next flush."""

    def check(self) -> Sequence[CheckMessage]:
        """Return what is wrong with the options, for the system checks, as directlinks.E031."""
        return []


_NAMED = {
    "database": "directlinks.counters.database.DatabaseCounter",
    "journal": "directlinks.contrib.counters.journal.JournalCounter",
    "redis": "directlinks.contrib.counters.redis.RedisCounter",
}

# One counter for each choice, because a counter may hold a file or a connection: it outlives a
# change of settings.
_made: dict[str, Counter] = {}


def get_counter() -> Counter:
    """Return the counter in ``DIRECTLINKS["COUNTER"]``: the same one as long as that is the same.

    One that would lose the downloads of tenants is replaced by the database.
    """
    counter: Counter | None = conf.made.get("counter")
    if counter is None:
        counter = _made_counter(conf.COUNTER)
        if loses_tenants(counter):
            counter = _made_counter("database")
        conf.made["counter"] = counter
    return counter


def loses_tenants(counter: Counter) -> bool:
    """Return True if ``counter`` cannot know to which schema a download belongs.

    What waits outside of the database has the key of a link alone, which other tenants have too,
    and it is added by a thread that serves no tenant.
    """
    return counter.is_deferred and conf.serves_tenants


def _made_counter(chosen: str | dict[str, Any]) -> Counter:
    key = chosen if isinstance(chosen, str) else repr(chosen)
    counter = _made.get(key)
    if counter is None:
        counter = _made.setdefault(key, make_counter(chosen))
    return counter


def make_counter(chosen: str | dict[str, Any]) -> Counter:
    """Return the counter that ``chosen`` describes. Raise ImportError or TypeError if none does."""
    if isinstance(chosen, str):
        chosen = {"BACKEND": chosen}
    name = chosen["BACKEND"]
    counter: Counter = import_string(_NAMED.get(name, name))(**chosen.get("OPTIONS", {}))
    return counter
