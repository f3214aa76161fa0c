"""How the benchmark says what it measured."""

import runpy

import pytest

from benchmarks import table
from benchmarks.load import rate
from benchmarks.results import GOAL_BYTES, Growth, Results, Throughput

RESULTS = Results(
    machine={"processor": "an abacus", "cores": "2"},
    throughput={
        "1 MB": [
            Throughput("nginx", [1000.0, 1000.0, 1000.0], [1000.0, 1000.0, 1000.0]),
            Throughput("signed", [750.0, 800.0, 100.0], [1000.0, 1000.0, 1000.0]),
            Throughput("stream", [740.0, 800.0, 100.0], [1000.0, 1000.0, 1000.0]),
        ]
    },
    memory=[Growth("signed", GOAL_BYTES), Growth("stream", GOAL_BYTES + 2**20)],
)
TEXT = """\
processor: an abacus, cores: 2

| 1 MB, 8 clients | ratio | lowest to highest | MB/s | goal ≥ 0.75 |
|:----------------|------:|------------------:|-----:|------------:|
| nginx           |  1.00 |      1.00 to 1.00 | 1000 |     control |
| signed          |  0.75 |      0.10 to 0.80 |  750 |         met |
| stream          |  0.74 |      0.10 to 0.80 |  740 |     not met |

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
    assert rate(said) == 1.5 * 1024**3 / 1e6
    with pytest.raises(RuntimeError, match="measures nothing"):
        rate(f"  Non-2xx or 3xx responses: 3\n{said}")


def test_it_can_be_imported_without_measuring() -> None:
    assert "main" in runpy.run_module("benchmarks.__main__")
