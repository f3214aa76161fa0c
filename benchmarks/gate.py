"""``python -m benchmarks --gate``: whether anything became much slower than it was meant to be.

A goal is for a quiet machine and a long run. A short run on a busy one says less, so it asks for a
part of each goal, or of what was reached so far where that is less, and measures once more what
seems to miss that.
"""

from collections.abc import Iterator

from benchmarks import batch, lookups
from benchmarks.results import Results

PART = 0.6

# What part of its goal a subject reached on a quiet machine, where docs/benchmarks.md says what the
# limit is. Whoever moves the limit moves the number.
REACHED = {
    "WSGI wrapper, sqlite": 0.52,
    "view, no middleware, postgresql": 0.72,
    "WSGI wrapper, postgresql": 0.62,
    "reuse 1000 URIs, sqlite": 0.63,
    "reuse 1000 URIs, postgresql": 0.62,
    "signed, gunicorn, 1 MB": 0.55,
    "stream, gunicorn, 1 MB": 0.50,
    "accel, nginx, 1 MB": 0.80,
    "sendfile, Apache, 1 MB": 0.80,
}


def shortfalls(results: Results) -> Iterator[str]:
    """A line for each subject that reaches less of its goal than is asked for."""
    for subject, share in shares(results):
        asked = PART * REACHED.get(subject, 1)
        if share < asked:
            yield f"{subject}: {share:.0%} of its goal, where {asked:.0%} are asked for"


def shares(results: Results) -> Iterator[tuple[str, float]]:
    """Each subject that has a goal, and what part of it was reached; 1 and more is all of it."""
    yield from _shares_of_rates(results)
    for where, rows in results.lookups.items():
        # The goal is for finding one; to open it writes as well, and is not to get out of hand.
        for what in ("find", "open"):
            grown = lookups.growth([getattr(row, what) for row in rows])
            for row, growth in zip(rows, grown, strict=True):
                yield f"{what} one of {row.links:,} links, {where}", lookups.GOALS[where] / growth
    yield from ((f"memory, {grown.subject}", grown.share) for grown in results.memory)


def _shares_of_rates(results: Results) -> Iterator[tuple[str, float]]:
    rates = [(where, one) for where, rows in results.redirects.items() for one in rows]
    rates += [(size, one) for size, rows in results.throughput.items() for one in rows]
    for where, costs in results.batches.items():
        rates += [(where, cost.rates(batch.goal_of(cost))) for cost in costs]
    for where, one in rates:
        if one.share is not None:
            yield f"{one.subject}, {where}", one.share
