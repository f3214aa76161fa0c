"""What arrives is what was stored: by each delivery, from each storage, under each name.

The rows are those of the table in docs/delivery.md.
"""

import bz2
import gzip
import hashlib
import json
import lzma
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest
import requests
from django.core.files.base import ContentFile

from directlinks.core.content_types import implies_encoding
from directlinks.delivery.reading import open_content, stored_encoding
from directlinks.delivery.responses import Blocks
from tests.real.memory import MIB
from tests.real.object_storage import OBJECT_SERVERS, ObjectServers, ObjectStorage
from tests.real.programs import needed
from tests.real.servers import gunicorn
from tests.real.sites import CHECKOUT, Site
from tests.real.visitors import visit

PAGE = (CHECKOUT / "docs" / "delivery.md").read_text()

TEXT = b"All that is written here is written here again.\n" * 50
CONTENTS: Mapping[str, bytes] = {
    "notes.txt": TEXT,
    "no extension": TEXT,
    "page.html": TEXT,
    "style.css": TEXT,
    "data.json": TEXT,
    "photo.png": bytes(range(256)),
    "archive.zip": bytes(range(256)),
    "x.tar.gz": gzip.compress(TEXT),
    "x.tgz": gzip.compress(TEXT),
    "UPPER.TAR.GZ": gzip.compress(TEXT),
    "a b (1).tar.gz": gzip.compress(TEXT),
    "drawing.svgz": gzip.compress(TEXT),
    "naïve 名前.svgz": gzip.compress(TEXT),
    "twice.gz.gz": gzip.compress(gzip.compress(TEXT)),
    "mail.txt.bz2": bz2.compress(TEXT),
    "x.tbz2": bz2.compress(TEXT),
    "data.csv.xz": lzma.compress(TEXT),
    "x.txz": lzma.compress(TEXT),
    "not compressed.br": TEXT,
    "old.Z": bytes(range(256)),
}

DELIVERIES = {
    "signed_url": "SignedURLBackend",
    "storage_url": "StorageURLBackend",
    "stream": "StreamBackend",
}
OWN, ADOPTED = HOW = "own", "adopted"
STORAGES: Mapping[str, tuple[str, ...]] = {
    "this machine": ("signed_url", "stream"),
    **dict.fromkeys(OBJECT_SERVERS, ("storage_url", "stream")),
}


def bare(link: str) -> bytes:
    """A client that says nothing of encodings, and takes the bytes as they come."""
    return visit("GET", link).body


def decompressing(link: str) -> bytes:
    """A client that asks for encodings, and undoes what it is told of."""
    try:
        return requests.get(link, timeout=60).content
    except requests.exceptions.ContentDecodingError as error:  # pragma: no cover
        return str(error).encode()


def curl(link: str) -> bytes:
    command = [needed("curl"), "--silent", "--location", "--compressed", link]
    return subprocess.run(command, capture_output=True, check=False).stdout


CLIENTS: tuple[Callable[[str], bytes], ...] = (bare, decompressing, curl)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def add(site: Site, folder: str, *, adopted: bool) -> dict[str, str]:
    """Add CONTENTS, stored by us or before under their own names; give the links' paths."""
    content = "storage.save(path, content)" if adopted else "content"
    links = site.shell(
        "import json",
        "from django.core.files.base import ContentFile",
        "from directlinks.models import DirectLink, File",
        "from directlinks.storage import content_storage",
        "storage = content_storage()",
        'ada = User.objects.get(username="ada")',
        "def add(name, data):",
        f"    path = {folder!r} + name",
        "    content = ContentFile(data, name=name)",
        f"    file = File.objects.create(owner=ada, path=path, content={content})",
        "    return DirectLink.objects.create(file=file).get_absolute_url()",
        f"contents = {dict(CONTENTS)!r}",
        "print(json.dumps({name: add(name, data) for name, data in contents.items()}))",
    )
    return dict(json.loads(links))


def changed(origin: str, links: Mapping[str, str]) -> set[str]:
    """Return the names of those CONTENTS that a client gets otherwise than they were stored."""
    return {
        name
        for name, data in CONTENTS.items()
        for client in CLIENTS
        if digest(client(urljoin(origin, links[name]))) != digest(data)
    }


@dataclass(frozen=True, slots=True)
class Stored:
    """A storage, and the server of objects that has it, or None."""

    name: str
    server: ObjectStorage | None

    @property
    def module(self) -> str:
        """A name for settings."""
        return self.name.replace(" ", "_").replace("-", "_")


@pytest.fixture(scope="module", params=STORAGES)
def stored(request: pytest.FixtureRequest, object_servers: ObjectServers) -> Stored:
    name: str = request.param
    return Stored(name, object_servers[name] if name in OBJECT_SERVERS else None)


def settings_of(delivery: str) -> str:
    backend = f"directlinks.delivery.backends.{delivery}.{DELIVERIES[delivery]}"
    return f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": {backend!r}}}}}\n'


def seen(site: Site, stored: Stored) -> Iterator[tuple[str, set[str]]]:
    """Yield each delivery with how the contents came into the storage, and what was changed."""
    settings = stored.server.settings() if stored.server else ""
    on = site.variant(stored.module, settings)
    links = {how: add(on, f"{stored.module}/{how}/", adopted=how == ADOPTED) for how in HOW}
    for delivery in STORAGES[stored.name]:
        chosen = settings + settings_of(delivery)
        with gunicorn(site.variant(f"{stored.module}_{delivery}", chosen)) as server:
            for how in HOW:
                yield f"{delivery}, {how}", changed(server.origin, links[how])


def test_what_arrives_is_what_was_stored(stored: Stored, public_site: Site) -> None:
    found = dict(seen(public_site, stored))
    if stored.name == "fake-gcs-server":
        # Google's URLs cannot ask for the bytes as they are.
        unlike = found[f"storage_url, {ADOPTED}"]
        assert {"x.tar.gz", "x.tgz", "drawing.svgz", "twice.gz.gz"} <= unlike
        assert all(implies_encoding(name) for name in unlike)
    told = {
        column: f"{len(CONTENTS)} of {len(CONTENTS)}" if not unlike else "all but the compressed"
        for column, unlike in found.items()
    }
    cells = [told.get(f"{delivery}, {how}", "") for delivery in DELIVERIES for how in HOW]
    assert f"| {' | '.join([stored.name, *cells])} |\n" in PAGE


def test_what_a_storage_compresses_itself_says_so(stored: Stored, public_site: Site) -> None:
    if stored.server is None or "gzip" not in vars(stored.server.storage()):
        pytest.skip("This storage has no such option.")
    settings = stored.server.settings(gzip=True)
    folder = f"{stored.module}/gzip/"
    on = public_site.variant(f"{stored.module}_gzip", settings)
    link = on.add_links({f"{folder}style.css": TEXT})[f"{folder}style.css"]
    for delivery in STORAGES[stored.name]:
        chosen = public_site.variant(
            f"{on.settings_module[7:]}_{delivery}", settings + settings_of(delivery)
        )
        with gunicorn(chosen) as server:
            url = urljoin(server.origin, link)
            for _ in range(2):  # the first has the size in the record corrected
                whole = visit("GET", url, {"Accept-Encoding": "gzip"})
                assert whole.headers["Content-Encoding"] == "gzip"
                assert int(whole.headers["Content-Length"]) == len(whole.body) < len(TEXT)
                assert gzip.decompress(whole.body) == TEXT
                assert decompressing(url) == TEXT


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 9 * MIB), (0, 1), (5 * MIB - 3, MIB), (9 * MIB - 1, 1), (4 * MIB, 4 * MIB)],
)
def test_parts_are_read_as_they_are_stored(
    stored: Stored, start: int, length: int, large: bytes
) -> None:
    if stored.server is None:
        pytest.skip("A file of this machine is read as any file.")
    storage = stored.server.storage()
    if not storage.exists("parts/large.tar.gz"):
        storage.save("parts/large.tar.gz", ContentFile(large))
    content = open_content(storage, "parts/large.tar.gz")
    assert content.size == len(large)
    part = content.part(start, length)
    assert getattr(part, "content_encoding", None) == "gzip"
    assert stored_encoding(part, "parts/large.tar.gz") is None
    with closing(part):
        assert b"".join(Blocks(part, length)) == large[start : start + length]


@pytest.fixture(scope="module")
def large() -> bytes:
    """9 MiB that begin as if they were compressed."""
    return gzip.compress(b"", mtime=0)[:10] + random.Random(1).randbytes(9 * MIB - 10)
