"""How the cost of finding and counting one link grows with the number of links that there are."""

import json
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.results import Lookups
from tests.real.sites import Site, run

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
GOALS = {"sqlite": 1.7, "postgresql": 1.2}


def measure(site: Site, most: int) -> list[Lookups]:
    """For each of SIZES up to ``most``. ``site`` has its tables, and ada among its users."""
    sizes = [size for size in SIZES if size <= most]
    said = run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", PROGRAM.format(sizes=sizes)],
        cwd=site.folder,
        environment=site.environment,
        patience=3600,
    )
    return [Lookups(**one) for one in json.loads(said.splitlines()[-1])]


PROGRAM = "from benchmarks.lookups import fill_and_time; fill_and_time({sizes})"


def growth(times: Sequence[Sequence[float]]) -> list[float]:
    """By what factor each of ``times``, of all rounds, is longer than the first."""
    least = median(times[0])
    return [median(one) / least for one in times]


def fill_and_time(sizes: Sequence[int]) -> None:
    """Run in a process of the site: prints the figures as JSON."""
    # Not before Django is set up.
    from benchmarks.lookups_inside import Table  # noqa: PLC0415

    table = Table()
    print(json.dumps([table.timed(size) for size in sizes]))
