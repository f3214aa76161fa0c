"""A site with django-cleanup, the real package: no file of the site goes with a row of ours."""

import json
from pathlib import Path

import pytest

from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site

INVOICES = """
from django.db import models
from django_cleanup import cleanup
from directlinks.models import File

@cleanup.select
class Invoice(models.Model):
    pdf = models.FileField(upload_to="invoices")

class Scan(File):
    pages = models.IntegerField(default=1)

class Draft(File):
    class Meta:
        proxy = True
"""

# What is done to a file that was adopted; "other" is a content of its own.
DEEDS = {
    "delete": "file.delete()",
    "delete by queryset": "model.objects.filter(pk=file.pk).delete()",
    "delete its links": "file.links.all().delete(); file.delete()",
    "delete its owner": "owner.delete()",
    "replace": "file.content = other; file.save()",
    "replace by name": "file.content = storage.save('other', other); file.save()",
    "replace alone": "file.content = other; file.save(update_fields=['content'])",
    "replace a copy": "file = model.objects.get(pk=file.pk); file.content = other; file.save()",
    "update or create": (
        "model.objects.update_or_create(owner=owner, path='a.pdf', defaults={'content': other})"
    ),
    "trash and delete": "file.trash(); file.delete()",
}

PROGRAM = f"""
import json
from django.core.files.base import ContentFile
from directlinks.models import DirectLink, File
from directlinks.storage import content_storage
from invoices.models import Draft, Invoice, Scan

storage, kept, cleaned = content_storage(), {{}}, {{}}

def new_invoice():
    return Invoice.objects.create(pdf=ContentFile(b"some bytes", name="a.pdf"))

for model in (File, Scan, Draft):
    for place, (name, deed) in enumerate({DEEDS!r}.items()):
        invoice = new_invoice()
        owner = User.objects.create(username=f"{{model.__name__}}{{place}}")
        file = model.objects.create(owner=owner, path="a.pdf", content=invoice.pdf.name)
        DirectLink.objects.create(file_id=file.pk, name="a.pdf")
        exec(deed, {{**globals(), "other": ContentFile(b"other bytes", name="b.pdf")}})
        kept[f"{{model.__name__}}: {{name}}"] = storage.exists(invoice.pdf.name)
for deed in ("invoice.delete()", "invoice.pdf = 'another'; invoice.save()"):
    invoice = new_invoice()
    name = invoice.pdf.name
    exec(deed, globals())
    cleaned[deed] = not storage.exists(name)
from django.core.checks import run_checks
faults = [fault.id for fault in run_checks() if fault.id == "directlinks.E034"]
print(json.dumps([kept, cleaned, faults]))
"""


def site_with_cleanup(folder: Path, config: str) -> Site:
    settings = f"""
{DOCUMENTED_SETTINGS}
INSTALLED_APPS += ["invoices", "django_cleanup.apps.{config}"]
MEDIA_ROOT = BASE_DIR / "media"
"""
    site = new_site(folder, settings=settings)
    (site.folder / "invoices").mkdir()
    (site.folder / "invoices" / "__init__.py").touch()
    (site.folder / "invoices" / "models.py").write_text(INVOICES)
    site.manage("makemigrations", "invoices", "-v", "0")
    site.manage("migrate", "-v", "0")
    return site


@pytest.mark.parametrize("config", ["CleanupConfig", "CleanupSelectedConfig"])
def test_a_row_of_ours_takes_no_file_of_the_site_along(config: str, tmp_path: Path) -> None:
    site = site_with_cleanup(tmp_path / "project", config)
    kept, cleaned, faults = json.loads(site.shell(PROGRAM))
    assert len(kept) == 3 * len(DEEDS)
    assert {name for name, there in kept.items() if not there} == set()
    # It is at work: what the site's own rows leave behind is gone.
    assert len(cleaned) == 2
    assert all(cleaned.values())
    assert faults == []
