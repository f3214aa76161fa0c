"""How the benchmark says what it measured."""

import runpy

import pytest

from benchmarks import table
from benchmarks.load import rate_in
from benchmarks.results import (
    GOAL_BYTES,
    Cost,
    Growth,
    Lookups,
    Rates,
    Results,
)

RESULTS = Results(
    machine={"processor": "an abacus", "cores": "2"},
    throughput={
        "1 MB": [
            Rates("nginx", [1000.0] * 3, [1000.0] * 3, None),
            Rates("signed", [750.0, 800.0, 100.0], [1000.0] * 3, 0.75),
            Rates("stream", [740.0, 800.0, 100.0], [1000.0] * 3, 0.75),
        ]
    },
    memory=[Growth("signed", GOAL_BYTES), Growth("stream", GOAL_BYTES + 2**20)],
    redirects={
        "sqlite": [
            Rates("a view", [100.0, 200.0], [100.0, 200.0], None),
            Rates("ours", [50.0, 120.0], [100.0, 200.0], 0.5),
            Rates("theirs", [40.0, 80.0], [100.0, 200.0], 0.5),
        ]
    },
    batches={
        "sqlite": [
            Cost("create", 10, [0.01], [0.02], 2, 20),
            Cost("create", 1000, [0.01], [0.6], 2, 2000),
        ]
    },
    lookups={
        "sqlite": [
            Lookups(10_000, [20.0, 22.0, 18.0], [40.0]),
            Lookups(100_000, [30.0], [40.0]),
            Lookups(1_000_000, [50.0], [60.0]),
        ]
    },
    workers=[
        Rates("1 workers", [100.0], [100.0], None),
        Rates("2 workers", [180.0], [100.0], None),
    ],
)
TEXT = """\
processor: an abacus, cores: 2

| links, sqlite | ratio | lowest to highest | requests/s |           goal |
|:--------------|------:|------------------:|-----------:|---------------:|
| a view        |  1.00 |      1.00 to 1.00 |        150 |        control |
| ours          |  0.55 |      0.50 to 0.60 |         85 |     ≥ 0.5: met |
| theirs        |  0.40 |      0.40 to 0.40 |         60 | ≥ 0.5: not met |

| batch, sqlite    | times the loop | lowest to highest |   ms |   statements |      goal |
|:-----------------|---------------:|------------------:|-----:|-------------:|----------:|
| create 10 URIs   |           2.00 |      2.00 to 2.00 | 10.0 |   2, loop 20 |           |
| create 1000 URIs |          60.00 |    60.00 to 60.00 | 10.0 | 2, loop 2000 | ≥ 50: met |

| one of so many links, sqlite | find, µs | growth |           goal | open, µs | growth |
|:-----------------------------|---------:|-------:|---------------:|---------:|-------:|
| 10,000                       |       20 |   1.00 |        control |       40 |   1.00 |
| 100,000                      |       30 |   1.50 |     ≤ 1.7: met |       40 |   1.00 |
| 1,000,000                    |       50 |   2.50 | ≤ 1.7: not met |       60 |   1.50 |

| more workers | ratio | lowest to highest | requests/s |    goal |
|:-------------|------:|------------------:|-----------:|--------:|
| 1 workers    |  1.00 |      1.00 to 1.00 |        100 | control |
| 2 workers    |  1.80 |      1.80 to 1.80 |        180 |         |

| 1 MB, 8 clients | ratio | lowest to highest | MB/s |            goal |
|:----------------|------:|------------------:|-----:|----------------:|
| nginx           |  1.00 |      1.00 to 1.00 | 1000 |         control |
| signed          |  0.75 |      0.10 to 0.80 |  750 |     ≥ 0.75: met |
| stream          |  0.74 |      0.10 to 0.80 |  740 | ≥ 0.75: not met |

| one file of 1 GiB | MiB grown | goal ≤ 16 |
|:------------------|----------:|----------:|
| signed            |      16.0 |       met |
| stream            |      17.0 |   not met |"""


def test_it_shows_machine_ratios_and_memory() -> None:
    assert table.rendered(RESULTS) == TEXT


def test_the_page_changes_between_its_markers_alone() -> None:
    page = f"Before.\n\n{table.BEGIN}\n\nold\n\n{table.END}\n\nAfter.\n"
    assert table.with_last_run(page, "new") == page.replace("\nold\n", "\nnew\n")


def test_a_run_with_failures_measures_nothing() -> None:
    said = "Requests/sec:   2539.46\nTransfer/sec:      1.50GB\n"
    assert rate_in(said) == 1.5 * 1024**3 / 1e6
    with pytest.raises(RuntimeError, match="measures nothing"):
        rate_in(f"  Non-2xx or 3xx responses: 3\n{said}")


def test_it_can_be_imported_without_measuring() -> None:
    assert "main" in runpy.run_module("benchmarks.__main__")
