"""The table in docs/delivery.md says how many requests to the bucket each action costs.

To write it anew: ``COSTS_TABLE=docs/delivery.md pytest tests/real/test_request_costs.py``.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks.models import DirectLink, File
from directlinks.services import pruning
from tests.api.clients import APIClient
from tests.delivery.downloads import delivery
from tests.factories import FileFactory, UserFactory
from tests.real.faulty_proxy import Proxy
from tests.real.object_storage import OBJECT_SERVERS, keep_files_in
from tests.real.sites import CHECKOUT
from tests.real.test_delivery_table import markdown

pytestmark = pytest.mark.django_db

PAGE = CHECKOUT / "docs" / "delivery.md"
BEGIN, END = "<!-- costs, seen by the tests: begin -->\n", "<!-- costs: end -->\n"
# One of each kind.
SERVERS = ("rclone", "Azurite", "fake-gcs-server")
NUMBER = 100
DATA = b"0123456789"


class World(NamedTuple):
    """A site whose administrator has files in a bucket."""

    user: Any
    settings: Settings


def visits(world: World, backend: str, method: str = "GET", **headers: str) -> list[Any]:
    world.settings.DIRECTLINKS = delivery(backend)
    links = DirectLink.objects.select_related("file").order_by("pk")
    answers = [Client().generic(method, link.get_absolute_url(), headers=headers) for link in links]
    assert len(answers) == NUMBER
    return [(answer.status_code, answer.getvalue()) for answer in answers]


def upload(world: World) -> None:
    for number in range(NUMBER):
        FileFactory(owner=world.user, path=f"{number:03}.bin", data=DATA)


def make_links(world: World) -> None:
    uris = [f"cloudreve://my/{number:03}.bin" for number in range(NUMBER)]
    assert APIClient(world.user).put(*uris).json()["code"] == 0


def redirect(world: World) -> None:
    assert {status for status, _ in visits(world, "storage_url.StorageURLBackend")} == {302}


def stream(world: World) -> None:
    assert set(visits(world, "stream.StreamBackend")) == {(200, DATA)}


def stream_parts(world: World) -> None:
    answers = visits(world, "stream.StreamBackend", Range="bytes=2-5")
    assert set(answers) == {(206, DATA[2:6])}


def stream_heads(world: World) -> None:
    assert set(visits(world, "stream.StreamBackend", "HEAD")) == {(200, b"")}


def confirm(world: World) -> None:
    later = "Fri, 31 Dec 2049 23:59:59 GMT"
    answers = visits(world, "stream.StreamBackend", **{"If-Modified-Since": later})
    assert set(answers) == {(304, b"")}


def list_all(world: World) -> None:
    assert APIClient(world.user).get("file/source").json()["code"] == 0
    client = Client()
    client.force_login(world.user)
    for model in ("file", "directlink"):
        assert client.get(f"/admin/directlinks/{model}/").status_code == 200


def examine(world: World) -> None:
    call_command("directlinks_doctor", stdout=StringIO())


def examine_remote(world: World) -> None:
    call_command("directlinks_doctor", "--remote", stdout=StringIO())


def prune(world: World) -> None:
    File.objects.all().delete()
    out = StringIO()
    call_command("directlinks_prune", "--bytes", "--yes", stdout=out)
    assert f"{NUMBER} contents without a file" in out.getvalue()


# Each with the requests that it may cost at most.
ACTIONS: Mapping[str, tuple[Callable[[World], None], int]] = {
    "100 links made by the API": (make_links, 0),
    "100 redirects": (redirect, 0),
    "100 streams": (stream, NUMBER),
    "100 parts of a stream": (stream_parts, NUMBER),
    "100 `HEAD` of a stream": (stream_heads, NUMBER),
    "100 streams that end with 304": (confirm, 0),
    "lists of the API and the admin": (list_all, 0),
    "`directlinks_doctor`, 100 files": (examine, 0),
    "`directlinks_doctor --remote`, 100 files": (examine_remote, NUMBER),
    "`directlinks_prune --bytes`, 100 contents": (prune, 2),
}


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Open one server of objects after another."""

    def opened() -> Iterator[tuple[str, Any, Proxy]]:
        for title in SERVERS:
            server = OBJECT_SERVERS[title]
            folder: Path = tmp_path_factory.mktemp("costs") / "server"
            with server(folder) as found, found.behind_proxy() as (storage, proxy):
                yield title, storage, proxy

    return opened()


def test_the_page_shows_what_each_action_costs(
    proxies: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pruning, "UPLOADING", -timedelta(days=1))
    world = World(UserFactory(is_staff=True, is_superuser=True), settings)
    titles, columns = [], []
    for title, storage, proxy in proxies:
        keep_files_in(storage.storage(), settings, monkeypatch)
        upload(world)
        column = []
        for action, (run, most) in ACTIONS.items():
            with proxy.counting() as requests:
                run(world)
            assert len(requests) <= most, (title, action)
            column.append(str(len(requests)))
        titles.append(title)
        columns.append(column)
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = zip(ACTIONS, *columns, strict=True)

    now = f"{before}{BEGIN}{markdown(titles, rows)}{END}{after}"

    Path(os.environ.get("COSTS_TABLE", tmp_path / "delivery.md")).write_text(now)
    assert page == now, "Look at the difference; the module's docstring says how to accept it."
