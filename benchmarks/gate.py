"""``python -m benchmarks --gate``: whether anything became much slower than it was meant to be.

A goal is for a quiet machine and a long run. A short run on a busy one says less, so it asks for a
part of each goal, and measures once more what seems to miss that.
"""

from collections.abc import Iterator

from benchmarks import batch, lookups
from benchmarks.results import Results

PART = 0.6


def shortfalls(results: Results) -> Iterator[str]:
    """A line for each subject that reaches less than PART of its goal."""
    for subject, share in shares(results):
        if share < PART:
            yield f"{subject}: {share:.0%} of its goal"


def shares(results: Results) -> Iterator[tuple[str, float]]:
    """Each subject that has a goal, and what part of it was reached; 1 and more is all of it."""
    yield from _shares_of_rates(results)
    for where, rows in results.lookups.items():
        for row, growth in zip(rows, lookups.growth(rows), strict=True):
            yield f"one of {row.links:,} links, {where}", lookups.GOALS[where] / growth
    for size, sent in results.throughput.items():
        yield from ((f"{one.subject}, {size}", one.share) for one in sent if not one.is_control)
    yield from ((f"memory, {grown.subject}", grown.share) for grown in results.memory)


def _shares_of_rates(results: Results) -> Iterator[tuple[str, float]]:
    rates = [(where, one) for where, rows in results.redirects.items() for one in rows]
    for where, costs in results.batches.items():
        rates += [(where, cost.rates(batch.goal_of(cost))) for cost in costs]
    for where, one in rates:
        if one.goal is not None:
            yield f"{one.subject}, {where}", one.ratio / one.goal
