"""The results as tables, for the terminal and for the documentation alike."""

from collections.abc import Sequence
from statistics import median

from benchmarks.results import GOAL_BYTES, GOAL_RATIO, Growth, Results, Throughput

BEGIN = "<!-- The last run. Written by: make bench ARGS=--write-docs -->"
END = "<!-- The end of the last run. -->"


def rendered(results: Results) -> str:
    """The machine, then tables of ratios, then one of memory."""
    machine = ", ".join(f"{name}: {value}" for name, value in results.machine.items())
    throughput = [_throughput(size, rows) for size, rows in results.throughput.items()]
    goal = f"goal ≤ {GOAL_BYTES // 1024**2}"
    memory = [
        ["one file of 1 GiB", "MiB grown", goal],
        *(_memory_row(one) for one in results.memory),
    ]
    return "\n\n".join([machine, *throughput, _table(memory)])


def with_last_run(page: str, text: str) -> str:
    """``page`` with ``text`` in the place of what stands between the markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _throughput(size: str, rows: Sequence[Throughput]) -> str:
    head = [f"{size}, 8 clients", "ratio", "lowest to highest", "MB/s", f"goal ≥ {GOAL_RATIO}"]
    return _table([head, *(_throughput_row(one) for one in rows)])


def _throughput_row(one: Throughput) -> list[str]:
    ratios = one.ratios
    span = f"{min(ratios):.2f} to {max(ratios):.2f}"
    goal = "control" if one.is_control else _verdict(one)
    return [one.subject, f"{one.ratio:.2f}", span, f"{median(one.rates):.0f}", goal]


def _memory_row(one: Growth) -> list[str]:
    return [one.subject, f"{one.grown / 1024**2:.1f}", _verdict(one)]


def _verdict(one: Throughput | Growth) -> str:
    return "met" if one.is_met else "not met"


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
