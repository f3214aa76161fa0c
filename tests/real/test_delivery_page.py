"""The examples of docs/delivery.md, run as they stand."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.real.servers import Server, gunicorn
from tests.real.sites import CHECKOUT, Site
from tests.real.visitors import ask, log_in, put

PAGE = (CHECKOUT / "docs" / "delivery.md").read_text()
FILE = re.compile(r"^```python\n# (files/\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What a site adds to use them.
SETTINGS = """
from files.proxy import *
ALLOWED_HOSTS += ["127.0.0.1"]
INSTALLED_APPS += ["files"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "directlinks": {"BACKEND": "files.storage.CdnStorage"},
}
DIRECTLINKS = {
    "DELIVERY": {"BACKEND": "directlinks.delivery.backends.storage_url.StorageURLBackend"},
}
"""


@pytest.fixture(scope="module")
def server(public_site: Site) -> Iterator[Server]:
    (public_site.folder / "files").mkdir()
    examples = FILE.findall(PAGE)
    assert [path for path, _ in examples] == ["files/storage.py", "files/apps.py", "files/proxy.py"]
    for path, code in examples:
        (public_site.folder / path).write_text(code)
    site = public_site.variant("as_documented", SETTINGS)
    site.add_links({"page.html": b"<script>"})
    with gunicorn(site) as server:
        yield server


def link_to_page(server: Server, **headers: str) -> str:
    """The link that the API gives to who asks with ``headers``."""
    api = f"{server.origin}/api/v4/"
    answer = put(api, log_in(api, "ada") | headers, ["cloudreve://my/page.html"])
    return str(answer["data"][0]["link"])


def test_a_storage_of_ones_own_is_told_how_to_show_the_file(server: Server) -> None:
    target = urlsplit(ask("GET", link_to_page(server)).headers["Location"])

    assert target.netloc == "cdn.example.org"
    query = parse_qs(target.query)
    assert query["disposition"] == ['attachment; filename="page.html"']
    assert query["type"] == ["text/html; charset=utf-8"]
    assert len(query["signature"][0]) == 64


def test_behind_a_proxy_links_begin_as_the_visitor_knows_the_site(server: Server) -> None:
    passed_on = {"Host": "files.example.org:8443", "X-Forwarded-Proto": "https"}

    link = link_to_page(server, **passed_on)

    assert link.startswith("https://files.example.org:8443/f/")
