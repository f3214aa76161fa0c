"""How often in which time: ``30/min`` and its like."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse(rate: str) -> tuple[int, int]:
    """The number of ``30/min``, and in how many seconds: ``(30, 60)``."""
    number, _, period = rate.partition("/")
    return int(number), _SECONDS[period[0]]
