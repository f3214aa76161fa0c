"""Downloads that were collected outside the database, summed up for it."""

from datetime import date, datetime

from directlinks.datetimes import day_of, moment_of
from directlinks.sql.folds import Collected


class Tally:
    """How often each link was opened on each day, and when last, in unix seconds."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.times: dict[int, dict[date, int]] = {}
        # Most downloads of a batch are of the same few seconds.
        self._moments: dict[int, tuple[datetime, date]] = {}

    def add(self, link: int, seconds: int, times: int = 1) -> None:
        """``times`` downloads of ``link`` at ``seconds``."""
        if seconds not in self._moments:
            moment = moment_of(seconds)
            self._moments[seconds] = moment, day_of(moment)
        day = self._moments[seconds][1]
        days = self.times.setdefault(link, {})
        days[day] = days.get(day, 0) + times
        self.last[link] = max(seconds, self.last.get(link, seconds))

    @property
    def total(self) -> int:
        """How many downloads there were in all."""
        return sum(sum(days.values()) for days in self.times.values())

    def by_link(self) -> list[Collected]:
        """The downloads of each link, in the order of their keys."""
        return [
            Collected(link, self._moments[self.last[link]][0], self.times[link])
            for link in sorted(self.last)
        ]
