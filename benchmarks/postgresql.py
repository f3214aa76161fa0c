"""A PostgreSQL server for one run, from Debian's packages, on loopback and in a scratch folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.servers import free_port, running

PROGRAMS = Path("/usr/lib/postgresql")

# A commit is safe from the death of a process, and for some moments not from that of the machine:
# the same promise that SQLite gives with the settings of the documentation.
OPTIONS = ["-c", "listen_addresses=127.0.0.1", "-c", "synchronous_commit=off"]

SETTINGS = """
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": "{port}",
        "CONN_MAX_AGE": None,
        "OPTIONS": {{"server_side_binding": True, "prepare_threshold": 5}},
    }}
}}
"""


def is_installed() -> bool:
    return any(PROGRAMS.glob("*/bin/initdb"))


@contextmanager
def postgresql() -> Iterator[str]:
    """The settings of a site that uses the server."""
    programs = max(PROGRAMS.glob("*/bin"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = folder / "data"
        as_user: list[str] = []
        if os.geteuid() == 0:  # as which PostgreSQL refuses to run
            shutil.chown(folder, "postgres")
            account = pwd.getpwnam("postgres").pw_name
            as_user = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups"]
        initdb = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "postgres"]
        subprocess.run([*initdb, "-A", "trust"], check=True, capture_output=True, timeout=120)
        port = free_port()
        command = [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port)]
        command += ["-k", scratch, *OPTIONS]
        with running(command, port, folder / "log"):
            yield SETTINGS.format(port=port)
