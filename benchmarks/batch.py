"""``python -m benchmarks.batch``: links for many files at once, beside a loop over the files.

Both answer the same request in one process, through the same authentication, policy and renderer,
on the database of DATABASE_URL, or on SQLite.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.effort import FULL, Effort
from benchmarks.redirects import SQLITE
from benchmarks.results import Cost
from tests.real.databases import site_on_chosen_database
from tests.real.sites import Site

GOAL_SIZE = 1000
GOALS = {"create": 50.0, "reuse": 75.0}

SETTINGS = f"""
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
DIRECTLINKS = {{"BATCH_SIZE": 3000}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
{"".join(f"    {line}" for line in SQLITE.strip().splitlines(keepends=True))}
"""


def measure(site: Site, effort: Effort) -> list[Cost]:
    """By kind and size. ``site`` has its tables, ada among its users, and no files."""
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", PROGRAM.format(sizes=effort.uris)],
        cwd=site.folder,
        env=site.environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=900,
        check=True,
    ).stdout
    return [
        Cost(
            kind,
            cost["uris"],
            *(cost["seconds"][f"{way} {kind}"] for way in ("batch", "loop")),
            *(cost["statements"][f"{way} {kind}"] for way in ("batch", "loop")),
        )
        for kind in GOALS
        for cost in json.loads(said)
    ]


def goal_of(cost: Cost) -> float | None:
    """How many times as fast as the loop it is to be; None where only its growth is of interest."""
    return GOALS[cost.kind] if cost.uris == GOAL_SIZE else None


PROGRAM = "from benchmarks.batch_requests import main; main({sizes})"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        site_on_chosen_database(Path(scratch, "project"), SETTINGS) as site,
    ):
        for cost in measure(site, FULL):
            rates = cost.rates(goal_of(cost))
            print(
                f"{rates.subject:18} {rates.ratio:6.1f} x the loop "
                f"({min(rates.ratios):.1f}-{max(rates.ratios):.1f}), "
                f"{min(cost.seconds) * 1000:8.1f} ms against {min(cost.loop_seconds) * 1000:8.1f}, "
                f"{cost.statements} statements against {cost.loop_statements}"
                + ("" if rates.goal is None else f", goal {rates.goal:.0f} x")
            )


if __name__ == "__main__":
    main()
