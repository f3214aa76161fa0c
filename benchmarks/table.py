"""The results as tables, for the terminal and for the documentation alike."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks import batch, lookups
from benchmarks.results import (
    GOAL_BYTES,
    Cost,
    Growth,
    Lookups,
    Rates,
    Results,
)

BEGIN = "<!-- The last run. Written by: make bench ARGS=--write-docs -->"
END = "<!-- The end of the last run. -->"


def rendered(results: Results) -> str:
    """The machine, then a table for each thing that was measured."""
    machine = ", ".join(f"{name}: {value}" for name, value in results.machine.items())
    tables = [
        *(_rates(f"links, {where}", "requests/s", r) for where, r in results.redirects.items()),
        *(_batch(where, costs) for where, costs in results.batches.items()),
        *(_lookups(where, rows) for where, rows in results.lookups.items()),
        *([_rates("more workers", "requests/s", results.workers)] if results.workers else []),
        *(_rates(f"{size}, 8 clients", "MB/s", r) for size, r in results.throughput.items()),
        *([_memory(results.memory)] if results.memory else []),
    ]
    return "\n\n".join([machine, *tables])


def with_last_run(page: str, text: str) -> str:
    """``page`` with ``text`` in the place of what stands between the markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _rates(what: str, unit: str, rows: Sequence[Rates]) -> str:
    head = [what, "ratio", "lowest to highest", unit, "goal"]
    return _table([head, *map(_rates_row, rows)])


def _rates_row(one: Rates) -> list[str]:
    ratios = one.ratios
    span = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return [one.subject, f"{one.ratio:.2f}", span, f"{median(one.rates):.0f}", _goal(one)]


def _goal(one: Rates) -> str:
    if one.rates == one.control:
        return "control"
    if one.goal is None:
        return ""
    return f"≥ {one.goal:g}: {'met' if one.is_met else 'not met'}"


def _batch(where: str, costs: Sequence[Cost]) -> str:
    head = [f"batch, {where}", "times the loop", "lowest to highest", "ms", "statements", "goal"]
    return _table([head, *map(_batch_row, costs)])


def _batch_row(cost: Cost) -> list[str]:
    one = cost.rates(batch.goal_of(cost))
    name, ratio, span, _, goal = _rates_row(one)
    milliseconds = f"{median(cost.seconds) * 1000:.1f}"
    statements = f"{cost.statements}, loop {cost.loop_statements}"
    return [name, ratio, span, milliseconds, statements, goal]


def _lookups(where: str, rows: Sequence[Lookups]) -> str:
    head = [f"one of so many links, {where}", "find, µs", "growth", "goal", "open, µs", "growth"]
    goal = lookups.GOALS[where]
    return _table([head, *_lookup_rows(rows, goal)])


def _lookup_rows(rows: Sequence[Lookups], goal: float) -> Iterator[list[str]]:
    found = lookups.growth([one.find for one in rows])
    opened = lookups.growth([one.open for one in rows])
    for one, find_growth, open_growth in zip(rows, found, opened, strict=True):
        verdict = f"≤ {goal:g}: {'met' if find_growth <= goal else 'not met'}"
        yield [
            f"{one.links:,}",
            f"{median(one.find):.0f}",
            f"{find_growth:.2f}",
            "control" if one is rows[0] else verdict,
            f"{median(one.open):.0f}",
            f"{open_growth:.2f}",
        ]


def _memory(rows: Sequence[Growth]) -> str:
    head = ["one file of 1 GiB", "MiB grown", f"goal ≤ {GOAL_BYTES // 1024**2}"]
    return _table([head, *(_memory_row(one) for one in rows)])


def _memory_row(one: Growth) -> list[str]:
    return [one.subject, f"{one.grown / 1024**2:.1f}", "met" if one.is_met else "not met"]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """In Markdown, the first column to the left, numbers to the right; the first row is the head.

    >>> print(_table([["what", "ratio"], ["a subject", "1.00"]]))
    | what      | ratio |
    |:----------|------:|
    | a subject |  1.00 |
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = (_line(row, widths) for row in rows)
    first, *others = widths
    rule = "|".join([f":{'-' * (first + 1)}", *(f"{'-' * (width + 1)}:" for width in others)])
    return "\n".join([head, f"|{rule}|", *body])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"
