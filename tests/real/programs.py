"""Programs that some tests need and that pip cannot install."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

# What pip did install comes first; servers are where only the superuser looks.
PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])


def needed(program: str) -> str:
    """The path of ``program``. Without it the test is skipped, and fails where CI is set."""
    found = shutil.which(program, path=PLACES)
    if found is None:
        give_up(f"{program!r}")
    return found


def needed_module(name: str) -> Path:
    """The folder of the Python package ``name``, likewise."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        give_up(f"the Python package {name!r}")
    return Path(found.origin).parent


def give_up(lacking: str) -> NoReturn:
    """Skip the test for want of what is ``lacking``.

    Fail it if CI is set, unless NOT_BUILT names it: what a build there had to do without.
    """
    message = f"NOT TESTED: this needs {lacking}, and it is not there."
    not_built = os.environ.get("NOT_BUILT", "").split()
    if "CI" in os.environ and lacking.strip("'") not in not_built:
        pytest.fail(message)
    pytest.skip(message)
