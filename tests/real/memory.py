"""How much memory a server takes for a download."""

import sys
from contextlib import closing

import pytest

from tests.real.servers import Server
from tests.real.visitors import ask, connect, send

MIB = 1024 * 1024

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="It looks into /proc.")


def memory(server: Server, field: str) -> int:
    """Return the bytes of memory of the server and its workers: VmRSS now, VmHWM at their peak."""
    statuses = [(process / "status").read_text() for process in server.processes()]
    return sum(int(status.split(f"{field}:")[1].split()[0]) * 1024 for status in statuses)


def growth(server: Server, huge: str, small: str, size: int) -> int:
    """Return by how many bytes the server grows while it sends the huge file of ``size`` bytes."""
    ask("GET", small)  # what a first download loads is no growth
    for process in server.processes():
        (process / "clear_refs").write_text("5")  # forget the peak of its start, see proc(5)
    before = memory(server, "VmRSS")

    block = memoryview(bytearray(4 * MIB))
    received = 0
    with closing(connect(huge)) as connection:
        response = send(connection, "GET", huge)
        while read := response.readinto(block):
            received += read

    assert received == size
    return memory(server, "VmHWM") - before
