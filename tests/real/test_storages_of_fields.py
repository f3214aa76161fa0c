"""Two buckets on a real server of S3 and a folder, each with a field and a backend of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks.services.linking import link_for
from directlinks.services.syncing import sync
from tests.hosts.invoices import FIRST, SECOND, checksums, content, registered
from tests.hosts.models import Invoice, Receipt
from tests.real.object_storage import rclone, s3_client
from tests.real.visitors import visit

pytestmark = pytest.mark.django_db

BUCKETS = ("papers", "scans")
BACKENDS = {
    "papers": "storage_url.StorageURLBackend",
    "scans": "stream.StreamBackend",
    "default": "signed_url.SignedURLBackend",
}


@pytest.fixture
def _fields(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    register: Callable[..., None],
) -> Iterator[None]:
    with rclone(tmp_path / "s3") as server:
        for bucket in BUCKETS:
            s3_client(server.origin).create_bucket(Bucket=bucket)
        entries = {bucket: server.entry(bucket_name=bucket) for bucket in BUCKETS}
        settings.STORAGES = {**settings.STORAGES, **entries}
        settings.DIRECTLINKS = {
            "DELIVERY": {
                alias: {"BACKEND": f"directlinks.delivery.backends.{backend}"}
                for alias, backend in BACKENDS.items()
            }
        }
        for field, bucket in (("pdf", "papers"), ("scan", "scans")):
            monkeypatch.setattr(Invoice._meta.get_field(field), "storage", storages[bucket])
            register(Invoice, field)
        register(Receipt, "file")
        yield


def opened(link: Any) -> tuple[int, str, bytes]:
    """The status of the link, the host that the file comes from, and the file."""
    answer: Any = Client().get(link.get_absolute_url())
    if answer.status_code == 200:
        return 200, "", b"".join(answer.streaming_content)
    where = str(answer["Location"])
    if where.startswith("/"):
        answer = Client().get(where)
        return 302, "", b"".join(answer.streaming_content)
    origin, _, rest = where.removeprefix("http://").partition("/")
    return 302, rest.partition("/")[0], visit("GET", where).body if origin else b""


@pytest.mark.usefixtures("_fields")
def test_each_file_comes_from_where_it_lies(tmp_path: Path) -> None:
    invoice = Invoice.objects.create(pdf=content(FIRST, "a.txt"), scan=content(SECOND, "b.txt"))
    receipt = Receipt.objects.create(invoice=invoice, file=content("local", "c.txt"))
    before = checksums()
    links = [link_for(file) for file in (invoice.pdf, invoice.scan, receipt.file)]
    assert [opened(link) for link in links] == [
        (302, "papers", FIRST.encode()),
        (200, "", SECOND.encode()),
        (302, "", b"local"),
    ]
    assert [link.file.size for link in links] == [len(FIRST), len(SECOND), len("local")]
    assert (tmp_path / "s3" / "papers" / "invoices").is_dir()

    # Replaced in its bucket under the same name, which sends no signal if the storage does it.
    storages["papers"].delete(str(invoice.pdf))
    assert storages["papers"].save(str(invoice.pdf), content(SECOND)) == str(invoice.pdf)
    assert opened(links[0]) == (302, "papers", SECOND.encode())
    invoice.pdf.save("new.txt", content("third"))
    assert opened(links[0]) == (302, "papers", b"third")
    assert links[0].file.__class__.objects.get(pk=links[0].file_id).size == len("third")

    call_command("directlinks_doctor")
    assert sum(step.unchanged for step in sync(registered())) == 1
    call_command("directlinks_prune", "--bytes", "--yes")
    assert opened(links[1]) == (200, "", SECOND.encode())
    receipt.delete()
    invoice.delete()
    assert [Client().get(link.get_absolute_url()).status_code for link in links] == [404] * 3
    assert checksums() == before
    kept = [path for path in (tmp_path / "s3").rglob("*") if path.is_file()]
    assert len(kept) == 3  # the first of papers, its new one and that of scans
