"""The example of docs/models.md in a project as ``startproject`` writes it."""

import json
import re
from pathlib import Path

from tests.real.servers import gunicorn
from tests.real.sites import CHECKOUT, DOCUMENTED_SETTINGS, new_site
from tests.real.visitors import visit

PAGE = (CHECKOUT / "docs" / "models.md").read_text()
FILES = re.compile(r"^```python\n# (invoices/\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEMPLATE = re.compile(r"^```django\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def example(name: str) -> str:
    """The example that defines the class ``name``."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (text,) = (block for block in blocks if f"class {name}(" in block)
    return str(text)


def test_a_link_follows_the_file_of_an_invoice(tmp_path: Path) -> None:
    site = new_site(tmp_path / "project", settings=DOCUMENTED_SETTINGS)
    site.append("mysite/settings.py", 'MEDIA_ROOT = BASE_DIR / "media"\n')
    site.append("mysite/settings.py", 'ALLOWED_HOSTS = ["127.0.0.1", "example.org"]\n')
    site.manage("startapp", "invoices")
    for name, text in FILES.findall(PAGE):
        (site.folder / name).write_text(text)
    (site.folder / "invoices/admin.py").write_text(example("InvoiceAdmin"))
    (site.folder / "invoices/serializers.py").write_text(example("InvoiceSerializer"))
    site.append("mysite/settings.py", 'INSTALLED_APPS += ["invoices"]\n')
    site.manage("makemigrations", "invoices", "-v", "0")
    site.manage("migrate", "-v", "0")
    site.manage("check", "--fail-level", "ERROR")

    begin = (
        "import json, directlinks",
        "from django.core.files.base import ContentFile",
        "from django.template import Context, Template",
        "from django.test import RequestFactory",
        "from invoices.models import Invoice",
        "def content(text): return ContentFile(text, name='2026-1.pdf')",
    )
    made = json.loads(
        site.shell(
            *begin,
            "invoice = Invoice.objects.create(number='1', pdf=content('first'))",
            "link = directlinks.link_for(invoice.pdf)",
            "request = RequestFactory().get('/', headers={'host': 'example.org'})",
            f"template = Template({TEMPLATE.findall(PAGE)[0]!r})",
            "page = {'invoice': invoice, 'invoices': [invoice], 'request': request}",
            "text = template.render(Context(page))",
            "from invoices.serializers import InvoiceSerializer",
            "shown = InvoiceSerializer([invoice], many=True, context={'request': request}).data",
            "assert shown == [{'number': '1', 'pdf_link': link.url(request)}]",
            "print(json.dumps([link.get_absolute_url(), link.url(request), text]))",
        )
    )
    path, url, text = made
    assert url == f"http://example.org{path}"
    assert text.count(f'href="{url}"') == 2

    with gunicorn(site, workers=1) as server:

        def seen() -> tuple[int, bytes]:
            answer = visit("GET", server.origin + path)
            return answer.status, answer.body if answer.status == 200 else b""

        assert seen() == (200, b"first")
        site.shell(
            *begin,
            "invoice = Invoice.objects.get()",
            "invoice.pdf = content('second')",
            "invoice.save()",
            "print(directlinks.link_for(invoice.pdf).get_absolute_url())",
        )
        assert seen() == (200, b"second")
        site.shell(*begin, "print(Invoice.objects.all().delete())")
        assert seen() == (404, b"")

    for line in "".join(SHELL.findall(PAGE)).splitlines():
        said = site.manage(*line.removeprefix("python manage.py ").split())
        assert "Files: 0 made, 0 updated, 0 withdrawn, 0 unchanged." in said
