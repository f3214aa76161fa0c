"""Downloads that were collected outside the database, summed up for it."""

from datetime import date

from directlinks.counting.days import day_of, moment_of


class Tally:
    """How often each link was opened on each day, and when last, in unix seconds."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.times: dict[int, dict[date, int]] = {}
        # Most downloads of a batch are of the same few seconds.
        self._days: dict[int, date] = {}

    def add(self, link: int, seconds: int, times: int = 1) -> None:
        """``times`` downloads of ``link`` at ``seconds``."""
        day = self._days.get(seconds)
        if day is None:
            day = self._days[seconds] = day_of(moment_of(seconds))
        days = self.times.setdefault(link, {})
        days[day] = days.get(day, 0) + times
        self.last[link] = max(seconds, self.last.get(link, seconds))

    def total(self, link: int) -> int:
        """How many downloads of ``link`` there were in all."""
        return sum(self.times[link].values())
