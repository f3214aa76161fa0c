"""Counting in the database, at once: exact, and the default."""

from datetime import datetime

from directlinks.counters.base import Counter
from directlinks.datetimes import day_of
from directlinks.sql import get_link_queries


class DatabaseCounter(Counter):
    """Each granted download is in the database before its response is sent."""

    in_database = True

    def count(self, link_id: int, now: datetime) -> bool:
        """Return False also if the link no longer opens."""
        return get_link_queries().count(link_id, now, day_of(now))
