"""Which storages are probed; what is found there is in tests/real/test_probing.py."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from directlinks.models import File
from directlinks.services.probing import Probed, probe
from tests.factories import FileFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

NOWHERE = {"BACKEND": "tests.storages.Bucket", "OPTIONS": {"base_url": "http://127.0.0.1:1/"}}
STREAM = {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}


class Forgetful(Bucket):
    """As some storages are of a content that is gone."""

    def url(self, name: str | None) -> Any:
        return None


def seen(probed: Probed) -> tuple[str, str | None, str | None, list[str]]:
    return probed.alias, probed.skipped, probed.path, [fault.kind for fault in probed.faults]


@pytest.fixture
def two(settings: Settings) -> None:
    """A site that has two buckets, and stores what is new in the second."""
    settings.STORAGES = {**settings.STORAGES, "old": NOWHERE, "directlinks": NOWHERE}


@pytest.mark.usefixtures("two")
class TestStorages:
    def test_where_new_contents_go_is_probed_without_any(self) -> None:
        assert [seen(one) for one in probe()] == [("directlinks", None, None, ["connection"])]

    def test_others_are_probed_if_they_hold_contents(self) -> None:
        file = FileFactory(path="a.txt")
        File.objects.filter(pk=file.pk).update(storage_alias="old")
        assert [seen(one) for one in probe()] == [
            ("old", None, "a.txt", ["connection"]),
            ("directlinks", None, None, ["connection"]),
        ]

    def test_each_is_asked_if_visitors_are_sent_there(self, settings: Settings) -> None:
        File.objects.filter(pk=FileFactory().pk).update(storage_alias="old")
        settings.DIRECTLINKS = {"DELIVERY": {"old": STREAM}}
        assert [seen(one) for one in probe()] == [
            ("old", "StreamBackend", None, []),
            ("directlinks", None, None, ["connection"]),
        ]

    def test_the_newest_file_that_is_live_and_has_enough_bytes_is_fetched(self) -> None:
        FileFactory(path="older.txt")
        FileFactory(path="newer.txt")
        FileFactory(path="small.txt", data=b"123")
        FileFactory(path="trash.txt").trash()
        assert [one.path for one in probe()] == ["newer.txt"]


def test_a_storage_that_gives_no_url_is_told(settings: Settings) -> None:
    forgetful = {"BACKEND": f"{__name__}.Forgetful"}
    settings.STORAGES = {**settings.STORAGES, "directlinks": forgetful}
    ((fault,),) = [one.faults for one in probe()]
    assert fault.message == "Visitors cannot be sent to the URL: it is missing."


@contextmanager
def dripping(beginning: bytes) -> Iterator[str]:
    """Give the address of a server that says ``beginning``, and then a byte now and then."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(beginning)
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.05)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 Not Found\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_server_that_never_ends_is_left_in_time(beginning: bytes, settings: Settings) -> None:
    with dripping(beginning) as address:
        bucket = {"BACKEND": "tests.storages.Bucket", "OPTIONS": {"base_url": address}}
        settings.STORAGES = {**settings.STORAGES, "directlinks": bucket}
        began = time.monotonic()
        ((fault,),) = [one.faults for one in probe(seconds=0.5)]
        took = time.monotonic() - began
    assert (fault.kind, fault.message) == ("timeout", f"{address} did not answer in 0.5 seconds.")
    assert took < 5
