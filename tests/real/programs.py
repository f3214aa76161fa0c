"""Programs that some tests need and that pip cannot install."""

import os
import shutil
import sys
from pathlib import Path

import pytest

# What pip did install comes first; servers are where only the superuser looks.
PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])


def needed(program: str) -> str:
    """The path of ``program``. Without it the test is skipped, and fails where CI is set."""
    found = shutil.which(program, path=PLACES)
    if found is None:
        give_up = pytest.fail if "CI" in os.environ else pytest.skip
        give_up(f"NOT TESTED: this needs {program!r}, and it is not installed.")
    return found
