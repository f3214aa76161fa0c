"""``python -m benchmarks [--only …] [--most-links N] [--write-docs]``: it fails no goal.

``python -m benchmarks --gate`` measures for a few minutes, and fails far from a goal.
"""

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path

from benchmarks import batch, gate, lookups, machine, memory, redirects, table, throughput
from benchmarks.effort import FULL, SHORT, Effort
from benchmarks.postgresql import is_installed, postgresql
from benchmarks.results import Results
from benchmarks.site import measured_site
from tests.real.sites import Site

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"

DATABASES = ["sqlite", "postgresql"]


def measure_redirects(results: Results, effort: Effort) -> None:
    for vendor in DATABASES:
        with _site_on(vendor) as site:
            results.redirects[vendor] = redirects.measure(site, vendor, effort)


def measure_batches(results: Results, effort: Effort) -> None:
    for vendor in DATABASES:
        with _site_on(vendor, batch.SETTINGS) as site:
            results.batches[vendor] = batch.measure(site, effort)


def measure_lookups(results: Results, effort: Effort) -> None:
    for vendor in DATABASES:
        with ExitStack() as stack:
            tables = {}
            for size in (size for size in lookups.SIZES if size <= effort.links):
                site = stack.enter_context(_site_on(vendor, redirects.SETTINGS))
                tables[size] = stack.enter_context(lookups.table_of(site, size))
            results.lookups[vendor] = lookups.measure(tables, effort.rounds)


def measure_workers(results: Results, effort: Effort) -> None:
    with _site_on("postgresql") as site:
        results.workers.extend(redirects.measure_workers(site, effort))


def measure_bytes(results: Results, effort: Effort) -> None:
    with measured_site() as measured:
        results.throughput.update(throughput.measure(measured, effort))
        results.memory.extend(memory.measure(measured))


PARTS: dict[str, Callable[[Results, Effort], None]] = {
    "redirects": measure_redirects,
    "batches": measure_batches,
    "lookups": measure_lookups,
    "workers": measure_workers,
    "bytes": measure_bytes,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help=f"renew the table in {PAGE.name}")
    parser.add_argument(
        "--gate", action="store_true", help=f"fail below {gate.PART:.0%}% of a goal"
    )
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), metavar="PART")
    parser.add_argument("--most-links", type=int, default=FULL.links, metavar="N")
    options = parser.parse_args()
    missing = machine.missing()
    if not is_installed():
        missing.append("postgresql")
    if missing:
        command = f"apt-get install {' '.join(missing)}"
        sys.stderr.write(f"NOTHING MEASURED: a program is not installed. On Debian: {command}\n")
        return 2
    if options.gate:
        return gated(options.only)
    results = measured(options.only, replace(FULL, links=options.most_links))
    text = table.rendered(results)
    print(text)
    RESULTS.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    print(f"\nAll rounds: {RESULTS}")
    if options.write_docs:
        PAGE.write_text(table.with_last_run(PAGE.read_text(), text))
    return 0


def measured(parts: Sequence[str], effort: Effort) -> Results:
    results = Results(machine.description())
    # Servers that end print their logs, which is for tests.
    with redirect_stdout(io.StringIO()):
        for part in parts:
            sys.stderr.write(f"Measuring {part} …\n")
            PARTS[part](results, effort)
    return results


def gated(parts: Sequence[str]) -> int:
    """1 where a part twice falls short of what ``gate`` asks for, else 0."""
    fails = False
    for part in parts:
        if part == "workers":  # it has no goal
            continue
        for _ in range(2):
            results = measured([part], SHORT)
            print(table.rendered(results), flush=True)
            short = list(gate.shortfalls(results))
            if not short:
                break
            print("\n".join(["Too slow:", *short]), flush=True)
        fails |= bool(short)
    return int(fails)


@contextmanager
def _site_on(vendor: str, settings: str = "") -> Iterator[Site]:
    database = postgresql() if vendor == "postgresql" else nullcontext(redirects.SQLITE)
    with tempfile.TemporaryDirectory() as scratch, database as declared:
        yield redirects.new_measured_site(Path(scratch, "project"), declared + settings)


if __name__ == "__main__":
    sys.exit(main())
