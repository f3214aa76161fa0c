"""``python -m benchmarks [--write-docs]``: it takes some four minutes and fails no goal."""

import argparse
import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks import machine, memory, table, throughput
from benchmarks.results import Results
from benchmarks.site import measured_site

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help=f"renew the table in {PAGE.name}")
    options = parser.parse_args()
    missing = machine.missing()
    if missing:
        command = f"apt-get install {' '.join(missing)}"
        sys.stderr.write(f"NOTHING MEASURED: a program is not installed. On Debian: {command}\n")
        return 2
    # Servers that end print their logs, which is for tests.
    with redirect_stdout(io.StringIO()), measured_site() as measured:
        results = Results(
            machine.description(), throughput.measure(measured), memory.measure(measured)
        )
    text = table.rendered(results)
    print(text)
    RESULTS.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    print(f"\nAll rounds: {RESULTS}")
    if options.write_docs:
        PAGE.write_text(table.with_last_run(PAGE.read_text(), text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
