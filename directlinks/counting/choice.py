"""Which counter the site has chosen."""

from typing import Any

from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.counting.base import Counter

_NAMED = {
    "database": "directlinks.counting.database.DatabaseCounter",
    "journal": "directlinks.counting.journal.JournalCounter",
    "redis": "directlinks.counting.redis.RedisCounter",
}

# One counter for each choice, because a counter may hold a file or a connection.
_made: dict[str, Counter] = {}

# The last answer, for the sake of doors that have a few microseconds for all: settings stay what
# they are, so most often the same object is asked about.
_last: tuple[object, Counter | None] = (None, None)


def site_counter() -> Counter:
    """The counter in ``DIRECTLINKS["COUNTER"]``: the same one as long as that is the same."""
    global _last  # noqa: PLW0603
    chosen = conf.COUNTER
    known, counter = _last
    if counter is None or known is not chosen:
        counter = _made_counter(chosen)
        _last = (chosen, counter)
    return counter


def _made_counter(chosen: str | dict[str, Any]) -> Counter:
    key = chosen if isinstance(chosen, str) else repr(chosen)
    counter = _made.get(key)
    if counter is None:
        counter = _made.setdefault(key, make_counter(chosen))
    return counter


def make_counter(chosen: str | dict[str, Any]) -> Counter:
    """The counter that ``chosen`` describes. Raises ImportError or TypeError without one."""
    if isinstance(chosen, str):
        chosen = {"BACKEND": chosen}
    name = chosen["BACKEND"]
    counter: Counter = import_string(_NAMED.get(name, name))(**chosen.get("OPTIONS", {}))
    return counter
