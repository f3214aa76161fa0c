"""The machine and the programs that numbers were taken with, without which they say nothing."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.real.programs import PLACES

# Each program that is no Python package, and what Debian calls the packages that it needs.
PROGRAMS = {
    "wrk": "wrk",
    "nginx": "nginx",
    "apache2": "apache2 libapache2-mod-xsendfile",
}
PACKAGES = ["Django", "gunicorn", "granian", "uvicorn"]


def missing() -> list[str]:
    """The Debian packages of the programs that are not installed."""
    return [package for program, package in PROGRAMS.items() if path_of(program) is None]


def path_of(program: str) -> str | None:
    return shutil.which(program, path=PLACES)


def description() -> dict[str, str]:
    """Processor, cores, memory and versions, in the order in which they are printed."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 1024**3:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        **{program: _program_version(program) for program in PROGRAMS},
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _program_version(program: str) -> str:
    # wrk says it with the status of a failure, and nginx where errors go.
    said = subprocess.run(
        [path_of(program) or program, "-v"], capture_output=True, text=True, check=False
    )
    found = re.search(r"\d+\.\d+[\d.]*", said.stdout + said.stderr)
    return found[0] if found else "unknown"
