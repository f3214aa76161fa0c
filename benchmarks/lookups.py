"""How the cost of finding and counting one link grows with the number of links that there are.

Each number has a database of its own, and a process that asks it. They take turns, so that a busy
minute strikes them alike.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

from benchmarks.results import Lookups
from tests.real.sites import Site

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
GOALS = {"sqlite": 1.7, "postgresql": 1.2}
PROGRAM = "from benchmarks.lookups import answer_rounds; answer_rounds({size})"

# Microseconds for finding one link, and for opening one.
Round = Callable[[], tuple[float, float]]


def measure(tables: Mapping[int, Round], rounds: int) -> list[Lookups]:
    """``rounds`` of each of ``tables``, which are named by their size."""
    for ask in tables.values():
        ask()  # it warms the caches
    seen = [{size: ask() for size, ask in tables.items()} for _ in range(rounds)]
    return [
        Lookups(size, [one[size][0] for one in seen], [one[size][1] for one in seen])
        for size in tables
    ]


@contextmanager
def table_of(site: Site, size: int) -> Iterator[Round]:
    """``size`` links in the database of ``site``, which has its tables and ada among its users."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", PROGRAM.format(size=size)],
        cwd=site.folder,
        env=site.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask() -> tuple[float, float]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        said = process.stdout.readline()
        if not said:
            raise RuntimeError(f"The process with {size:,} links ended; above it says why.")
        find, open_ = json.loads(said)
        return find, open_

    with process:
        yield ask  # the end of its input ends it


def growth(times: Sequence[Sequence[float]]) -> list[float]:
    """By what factor each of ``times``, of all rounds, is longer than the first."""
    least = median(times[0])
    return [median(one) / least for one in times]


def answer_rounds(size: int) -> None:
    """Run in a process of the site: for each line that comes in, a line of JSON with a round."""
    # Not before Django is set up.
    from benchmarks.lookups_inside import Table  # noqa: PLC0415

    table = Table(size)
    for _ in sys.stdin:
        print(json.dumps(table.timed()), flush=True)
