"""Load, by a program in C: a client in Python would be what is measured."""

import re
import subprocess
from pathlib import Path

from benchmarks import machine

UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}  # as wrk means them


def megabytes_per_second(url: str, *, clients: int, seconds: int) -> float:
    """What ``clients``, each asking again at once, receive from ``url`` in one second."""
    said = _said(url, threads=2, connections=clients, seconds=seconds)
    return rate_in(said)


def requests_per_second(url: str, *, clients: int, seconds: int, script: Path) -> float:
    """How many requests of ``script``, a program for wrk, are answered in one second."""
    said = _said(url, "--script", str(script), threads=1, connections=clients, seconds=seconds)
    found = re.search(r"^Requests/sec: +([\d.]+)$", said, re.MULTILINE)
    return float(_checked(found, said)[1])


def rate_in(said: str) -> float:
    """The megabytes per second that wrk ``said``. Raises RuntimeError where anything failed."""
    found = re.search(r"^Transfer/sec: +([\d.]+)([KMG]?B)$", said, re.MULTILINE)
    number, unit = _checked(found, said).groups()
    return float(number) * UNITS[unit] / 1e6


def _checked(found: re.Match[str] | None, said: str) -> re.Match[str]:
    failed = re.search(r"^ *(Socket errors|Non-2xx or 3xx responses): .+$", said, re.MULTILINE)
    if failed or found is None:
        raise RuntimeError(f"A run with failures measures nothing:\n{said}")
    return found


def _said(url: str, *options: str, threads: int, connections: int, seconds: int) -> str:
    program = machine.path_of("wrk")
    assert program is not None
    scale = ["--threads", str(threads), "--connections", str(connections)]
    return subprocess.run(
        [program, *scale, "--duration", f"{seconds}s", "--timeout", "30s", *options, url],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=True,
    ).stdout
