"""Load, by a program in C: a client in Python would be what is measured."""

import re
import subprocess

from benchmarks import machine

CLIENTS = 8

UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}  # as wrk means them


def megabytes_per_second(url: str, seconds: int) -> float:
    """What CLIENTS clients, each asking again at once, receive from ``url`` in one second."""
    program = machine.path_of("wrk")
    assert program is not None
    options = ["--threads", "2", "--connections", str(CLIENTS), "--duration", f"{seconds}s"]
    said = subprocess.run(
        [program, *options, "--timeout", "30s", url],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=True,
    ).stdout
    return rate(said)


def rate(said: str) -> float:
    """The number that counts in what wrk said; where anything failed there is none."""
    failed = re.search(r"^ *(Socket errors|Non-2xx or 3xx responses): .+$", said, re.MULTILINE)
    found = re.search(r"^Transfer/sec: +([\d.]+)([KMG]?B)$", said, re.MULTILINE)
    if failed or found is None:
        raise RuntimeError(f"A run with failures measures nothing:\n{said}")
    return float(found[1]) * UNITS[found[2]] / 1e6
