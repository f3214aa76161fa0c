"""``python -m benchmarks --gate``: whether anything became much slower than it was meant to be.

A goal is for a quiet machine and a long run. A short run on a busy one says less, so it asks for a
part of each goal, or of what was reached so far where that is less, and measures once more what
seems to miss that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import batch, lookups
from benchmarks.results import Results

PART = 0.6

# What part of its goal a subject reached on a quiet machine, where docs/benchmarks.md says what the
# limit is. If you move the limit, move the number.
REACHED = {
    "WSGI wrapper, sqlite": 0.52,
    "view, no middleware, postgresql": 0.72,
    "WSGI wrapper, postgresql": 0.62,
    "reuse 1000 URIs, sqlite": 0.63,
    "reuse 1000 URIs, postgresql": 0.62,
    "signed, gunicorn, 1 MB": 0.55,
    "stream, gunicorn, 1 MB": 0.50,
    # SQLite counts each of their visits.
    "stream, granian, 1 MB": 0.80,
    "accel, nginx, 1 MB": 0.80,
    "sendfile, Apache, 1 MB": 0.80,
}


@dataclass(frozen=True, slots=True)
class Share:
    """What part of its goal a subject reached, 1 and more is all of it; and what is asked for."""

    subject: str
    reached: float
    asked: float


def shortfalls(results: Results) -> Iterator[str]:
    """A line for each subject that reaches less of its goal than is asked for."""
    for one in shares(results):
        if one.reached < one.asked:
            yield (
                f"{one.subject}: {one.reached:.0%} of its goal, where {one.asked:.0%} are asked for"
            )


def shares(results: Results) -> Iterator[Share]:
    """Each subject that has a goal."""
    yield from _shares_of_rates(results)
    for where, rows in results.lookups.items():
        # The goal is for finding one; to open it writes as well, and is not to get out of hand.
        for what in ("find", "open"):
            grown = lookups.growth([getattr(row, what) for row in rows])
            for row, growth in zip(rows, grown, strict=True):
                subject = f"{what} one of {row.links:,} links, {where}"
                yield Share(subject, lookups.GOALS[where] / growth, PART)
    yield from (Share(f"memory, {grown.subject}", grown.share, PART) for grown in results.memory)


def _shares_of_rates(results: Results) -> Iterator[Share]:
    rates = [(where, one) for where, rows in results.redirects.items() for one in rows]
    rates += [(size, one) for size, rows in results.throughput.items() for one in rows]
    for where, costs in results.batches.items():
        rates += [(where, cost.rates(batch.goal_of(cost))) for cost in costs]
    for where, one in rates:
        if one.share is not None:
            subject = f"{one.subject}, {where}"
            # A machine that copies slowly tells nothing of us.
            asked = PART * min(REACHED.get(subject, 1), one.reachable)
            yield Share(subject, one.share, asked)
