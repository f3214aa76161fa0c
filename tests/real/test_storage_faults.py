"""What visitors and the log get while a bucket fails, as docs/delivery.md says it.

Each test compares the table of one storage. To write it anew:
``FAULTS_TABLE=docs/delivery.md pytest tests/real/test_storage_faults.py``.
"""

import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.real.faulty_proxy import Fault
from tests.real.object_storage import OBJECT_SERVERS, ObjectStorage, site_on
from tests.real.servers import gunicorn
from tests.real.sites import CHECKOUT, Site
from tests.real.test_delivery_table import delivered_by, markdown

PAGE = CHECKOUT / "docs" / "delivery.md"
MIB = 1024 * 1024
CONTENT = bytes(range(256)) * (2 * MIB // 256)
# A visit must end within it: two requests of at most 10 seconds, and a pause between them.
BOUND = 25

LOGGING = """
LOGGING = {{
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {{"line": {{"format": "%(levelname)s %(message)s"}}}},
    "handlers": {{
        "file": {{"class": "logging.FileHandler", "filename": {log!r}, "formatter": "line"}}
    }},
    "loggers": {{
        "directlinks": {{"handlers": ["file"]}},
        "django.request": {{"handlers": ["file"]}},
    }},
}}
"""


def of_s3(status: int, code: str) -> Fault:
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>"
    return Fault(status=status, headers={"Content-Type": "application/xml"}, body=body.encode())


def of_azure(status: int, code: str) -> Fault:
    error = f"<Error><Code>{code}</Code><Message>No.</Message></Error>"
    body = f"<?xml version='1.0' encoding='utf-8'?>{error}"
    headers = {"Content-Type": "application/xml", "x-ms-error-code": code}
    return Fault(status=status, headers=headers, body=body.encode())


def of_google(status: int, reason: str) -> Fault:
    error = {"code": status, "message": reason, "errors": [{"reason": reason}]}
    headers = {"Content-Type": "application/json"}
    return Fault(status=status, headers=headers, body=json.dumps({"error": error}).encode())


FAULTS: Mapping[str, Mapping[str, Fault]] = {
    "rclone": {
        "the key may not read": of_s3(403, "AccessDenied"),
        "the clock is wrong": of_s3(403, "RequestTimeTooSkewed"),
        "the object is archived": of_s3(403, "InvalidObjectState"),
        "too many requests": of_s3(503, "SlowDown"),
        "an error of the bucket": of_s3(500, "InternalError"),
    },
    "Azurite": {
        "the key may not read": of_azure(403, "AuthorizationPermissionMismatch"),
        "the clock is wrong": of_azure(403, "AuthenticationFailed"),
        "the object is archived": of_azure(409, "BlobArchived"),
        "too many requests": of_azure(503, "ServerBusy"),
        "an error of the bucket": of_azure(500, "InternalError"),
    },
    "fake-gcs-server": {
        "the key may not read": of_google(403, "forbidden"),
        "the clock is wrong": of_google(401, "authError"),
        "too many requests": of_google(429, "rateLimitExceeded"),
        "an error of the bucket": of_google(503, "backendError"),
    },
}
EVERYWHERE = {
    "no connection is made": Fault(reset=True),
    "it stalls": Fault(delay=15),
    "it stops in the middle": Fault(cut_after=MIB),
}


@dataclass(frozen=True, slots=True)
class Door:
    """A site with its log, and the URL of a link there."""

    link: str
    log: Path

    def lines(self) -> list[str]:
        """Return what the log has got since the last call, without what differs each time."""
        text = self.log.read_text()
        self.log.write_text("")
        text = re.sub(r" \(correlation id [^)]*\)", "", text)
        text = re.sub(r"\b[0-9A-Za-z_-]{4}…|\b[0-9a-f]{32}\b|(?<=Link )\d+", "…", text)
        return text.splitlines()


def outcome(url: str, patience: float = BOUND) -> tuple[str, str | None]:
    """Return what a visitor of ``url`` gets in words, and where it leads."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=patience)) as connection:
        try:
            connection.request("GET", urlsplit(url)._replace(scheme="", netloc="").geturl())
            answer = connection.getresponse()
        except TimeoutError:
            return "no answer", None
        except (HTTPException, OSError):
            return "no connection", None
        words = str(answer.status)
        if (seconds := answer.headers["Retry-After"]) is not None:
            words += f", `Retry-After: {seconds}`"
        try:
            body = answer.read()
        except (HTTPException, OSError):
            return f"{words}, cut off", None
        if answer.status == 200:
            assert body == CONTENT
        return words, answer.headers["Location"]


def followed(link: str) -> str:
    words, location = outcome(link)
    if location is None:  # pragma: no cover  # signing asks no bucket
        return words
    # A client of the bucket's has a patience of its own.
    return f"{words}, then {outcome(location, 2)[0]} from the bucket"


def row(redirecting: Door, streaming: Door) -> list[str]:
    """What is seen with both backends, and the log."""
    began = time.monotonic()
    cells = [followed(redirecting.link), outcome(streaming.link)[0]]
    assert time.monotonic() - began < BOUND
    lines = [*redirecting.lines(), *streaming.lines()]
    return [*cells, "<br>".join(f"`{line}`" for line in lines)]


def rows(
    objects: ObjectStorage, faults: Mapping[str, Fault], site: Site, downloads: Callable[[], int]
) -> Iterator[list[str]]:
    """One fault after the other, each with a visitor of both sites."""
    with ExitStack() as servers:
        with ExitStack() as stack:
            behind, proxy = stack.enter_context(objects.behind_proxy())
            doors = []
            for backend in ("storage_url.StorageURLBackend", "stream.StreamBackend"):
                name = backend.partition(".")[0]
                log = site.folder / f"{name}.log"
                settings = delivered_by(backend) + LOGGING.format(log=str(log))
                variant = site_on(behind, site, name, settings)
                path = new_link(variant, objects.backend, f"{name}.bin")
                server = servers.enter_context(gunicorn(variant))
                doors.append(Door(server.origin + path, log))
            for door in doors:
                door.lines()

            yield ["none", *row(*doors)]
            for title, fault in {**faults, **EVERYWHERE}.items():
                time.sleep(1.1)  # a line of each kind is logged once a second
                before = downloads()
                with proxy.failing(fault, methods=methods_of(fault)):
                    cells = row(*doors)
                counted = downloads() - before
                # The redirect, and what was begun to be sent.
                assert counted == sum(cell.startswith(("302", "200")) for cell in cells[:2])
                yield [title, *cells]
            remove_all(objects.storage())
            yield ["the object is gone", *row(*doors)]
            remove_bucket(objects.storage())
            yield ["the bucket is gone", *row(*doors)]
            # Connections that are kept would outlive the proxy's own socket.
            with proxy.failing(Fault(reset=True)):
                for _ in range(3):
                    row(*doors)
            time.sleep(1.1)
        yield ["the connection is refused", *row(*doors)]


def new_link(site: Site, folder: str, name: str) -> str:
    """Return the path of a link to a new file with CONTENT, which is too long for an argument."""
    return site.shell(
        "from django.core.files.base import ContentFile",
        "from directlinks.models import DirectLink, File",
        'ada = User.objects.get(username="ada")',
        f'content = ContentFile(bytes(range(256)) * {len(CONTENT) // 256}, name="{name}")',
        f'file = File.objects.create(owner=ada, path="{folder}/{name}", content=content)',
        "print(DirectLink.objects.create(file=file).get_absolute_url())",
    )


def methods_of(fault: Fault) -> tuple[str, ...]:
    return ("GET",) if fault.cut_after is not None else ()


def remove_all(storage: Any) -> None:
    """Delete every object by the client of the storage."""
    if hasattr(storage, "connection"):
        storage.bucket.objects.all().delete()
    elif hasattr(storage, "service_client"):
        for blob in storage.client.list_blobs():
            storage.client.delete_blob(blob.name)
    else:
        for blob in storage.client.list_blobs(storage.bucket_name):
            blob.delete()


def remove_bucket(storage: Any) -> None:
    if hasattr(storage, "connection"):
        storage.bucket.delete()
    elif hasattr(storage, "service_client"):
        storage.client.delete_container()
    else:
        storage.bucket.delete()


@pytest.mark.parametrize("name", FAULTS)
def test_the_page_shows_what_a_failing_bucket_gives(
    name: str, public_site: Site, tmp_path: Path
) -> None:
    def downloads() -> int:
        with closing(sqlite3.connect(public_site.folder / "db.sqlite3")) as database:
            row = database.execute("SELECT sum(downloads) FROM directlinks_directlink").fetchone()
        return int(row[0])

    with OBJECT_SERVERS[name](tmp_path / "bucket") as objects:
        titles = ("`StorageURLBackend`", "`StreamBackend`", "log")
        table = markdown(titles, rows(objects, FAULTS[name], public_site, downloads))
    page = PAGE.read_text()
    begin, end = (
        f"<!-- faults of {name}, seen by the tests: {edge} -->\n" for edge in ("begin", "end")
    )
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    now = f"{before}{begin}{table}{end}{after}"
    Path(os.environ.get("FAULTS_TABLE", tmp_path / "delivery.md")).write_text(now)
    assert page == now, "Look at the difference; the module's docstring says how to accept it."
