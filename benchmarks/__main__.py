"""``python -m benchmarks [--only …] [--most-links N] [--write-docs]``: it fails no goal."""

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path

from benchmarks import batch, lookups, machine, memory, redirects, table, throughput
from benchmarks.postgresql import is_installed, postgresql
from benchmarks.results import Results
from benchmarks.site import measured_site
from tests.real.sites import Site

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"

DATABASES = ["sqlite", "postgresql"]


def measure_redirects(results: Results, options: argparse.Namespace) -> None:
    for vendor in DATABASES:
        with _site_on(vendor) as site:
            results.redirects[vendor] = redirects.measure(site, vendor)


def measure_batches(results: Results, options: argparse.Namespace) -> None:
    for vendor in DATABASES:
        with _site_on(vendor, batch.SETTINGS) as site:
            results.batches[vendor] = batch.measure(site)


def measure_lookups(results: Results, options: argparse.Namespace) -> None:
    for vendor in DATABASES:
        with _site_on(vendor) as site:
            results.lookups[vendor] = lookups.measure(site, options.most_links)


def measure_workers(results: Results, options: argparse.Namespace) -> None:
    with _site_on("postgresql") as site:
        results.workers.extend(redirects.measure_workers(site))


def measure_bytes(results: Results, options: argparse.Namespace) -> None:
    with measured_site() as measured:
        results.throughput.update(throughput.measure(measured))
        results.memory.extend(memory.measure(measured))


PARTS: dict[str, Callable[[Results, argparse.Namespace], None]] = {
    "redirects": measure_redirects,
    "batches": measure_batches,
    "lookups": measure_lookups,
    "workers": measure_workers,
    "bytes": measure_bytes,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help=f"renew the table in {PAGE.name}")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), metavar="PART")
    parser.add_argument("--most-links", type=int, default=lookups.SIZES[-1], metavar="N")
    options = parser.parse_args()
    missing = machine.missing()
    if not is_installed():
        missing.append("postgresql")
    if missing:
        command = f"apt-get install {' '.join(missing)}"
        sys.stderr.write(f"NOTHING MEASURED: a program is not installed. On Debian: {command}\n")
        return 2
    results = Results(machine.description())
    # Servers that end print their logs, which is for tests.
    with redirect_stdout(io.StringIO()):
        for part in options.only:
            sys.stderr.write(f"Measuring {part} …\n")
            PARTS[part](results, options)
    text = table.rendered(results)
    print(text)
    RESULTS.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    print(f"\nAll rounds: {RESULTS}")
    if options.write_docs:
        PAGE.write_text(table.with_last_run(PAGE.read_text(), text))
    return 0


@contextmanager
def _site_on(vendor: str, settings: str = "") -> Iterator[Site]:
    database = postgresql() if vendor == "postgresql" else nullcontext(redirects.SQLITE)
    with tempfile.TemporaryDirectory() as scratch, database as declared:
        yield redirects.new_measured_site(Path(scratch, "project"), declared + settings)


if __name__ == "__main__":
    sys.exit(main())
