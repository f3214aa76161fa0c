"""Invoices with files, and what visitors and the disk see of them."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings as site
from django.core.files.base import ContentFile
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directlinks import registry
from directlinks.models import DirectLink, File
from directlinks.registry import Registration
from tests.hosts.models import Customer, Invoice

LABEL = "hosts.invoice.pdf"
# The two ways to say it.
WHEN_PAID: tuple[Any, ...] = (lambda invoice: invoice.is_paid, Q(is_paid=True))
FIRST, SECOND = "the first bytes", "the second bytes"


def registered() -> Registration:
    """The registration of the field ``pdf``."""
    found = registry.registration_named(LABEL)
    assert found is not None
    return found


def content(text: str, name: str = "bill.txt") -> Any:
    return ContentFile(text.encode(), name=name)


def make_invoice(owner: Any = None, **fields: Any) -> Invoice:
    customer = None if owner is None else Customer.objects.create(user=owner)
    invoice: Invoice = Invoice.objects.create(
        **{"customer": customer, "pdf": content(FIRST), **fields}
    )
    return invoice


def mirror_of(invoice: Invoice) -> File:
    return File.objects.get(storage_alias=LABEL, source_key=str(invoice.pk))


def seen(link: DirectLink) -> str | int:
    """What a visitor gets: the text, or the status of an error."""
    client = Client()
    answer: Any = client.get(link.get_absolute_url())
    if answer.status_code == 302:
        answer = client.get(answer["Location"])
    if answer.status_code != 200:
        return int(answer.status_code)
    return b"".join(answer.streaming_content).decode()


def checksums() -> dict[str, str]:
    """All files of the site with a digest of each."""
    return checksums_in(Path(site.MEDIA_ROOT))


def checksums_in(root: Path) -> dict[str, str]:
    """All files below ``root`` with a digest of each."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def statements(queries: CaptureQueriesContext) -> list[str]:
    """What was asked of the database, without the savepoints of our changes."""
    control = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    return [one["sql"] for one in queries if not one["sql"].startswith(control)]
