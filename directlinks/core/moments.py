"""Which moments can be kept."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime


def is_near(moment: datetime) -> bool:
    """Whether every time zone can show ``moment``: not so in the first and in the last years."""
    near = MINYEAR < moment.year < MAXYEAR
    if near and moment.tzinfo is not None:
        near = MINYEAR < moment.astimezone(UTC).year < MAXYEAR
    return near
