"""Counting in the database, at once: exact, and the default."""

from datetime import datetime

from directlinks.counting.base import Counter
from directlinks.datetimes import day_of
from directlinks.models import DirectLink
from directlinks.sql.choice import links_of


class DatabaseCounter(Counter):
    """Every download that was granted is in the database before its answer leaves."""

    in_database = True

    def count(self, link: int, now: datetime) -> bool:
        """Also says no where the link does not open any more."""
        return links_of(DirectLink).count(link, now, day_of(now))
