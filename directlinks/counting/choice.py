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

# One counter for each choice, because a counter may hold a file or a connection: it outlives a
# change of settings.
_made: dict[str, Counter] = {}


def site_counter() -> Counter:
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

    What is collected outside of the database has the key of a link alone, which other tenants have
    too, and it is added by a thread that serves no tenant.
    """
    return counter.collects_outside and conf.serves_tenants


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
