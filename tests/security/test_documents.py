"""Files that could act, and requests for parts of one."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.security.asking import LOCAL, document

pytestmark = pytest.mark.django_db


class TestDocumentsThatCouldAct:
    @pytest.mark.parametrize("backend", LOCAL)
    @pytest.mark.parametrize(
        ("name", "data", "shown"),
        [
            ("a.html", b"<script>", False),
            ("a.xhtml", b"<script>", False),
            ("a.xml", b"<?xml-stylesheet ?>", False),
            ("a.svg", b"<svg onload=''>", False),
            ("a.mhtml", b"MIME-Version: 1.0", False),
            ("a.js", b"alert(1)", False),
            ("a.unheard-of", b"<script>", False),
            ("no-extension", b"<script>", False),
            # Both of what they pretend to be and of something else.
            ("polyglot.html", b"\x89PNG\r\n\x1a\n<script>", False),
            ("polyglot.png", b"\x89PNG\r\n\x1a\n<script>", True),
            ("page.txt", b"<script>", True),
            ("script.pdf", b"%PDF-1.7 /JavaScript", True),
        ],
    )
    def test_they_are_saved_or_shown_as_nothing_but_what_they_are_called(
        self, backend: str, name: str, data: bytes, shown: bool, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        headers = document(DirectLinkFactory(file__path=name, file__data=data)).headers
        assert headers["Content-Disposition"].startswith("inline" if shown else "attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        has_viewer = name in ("polyglot.png", "script.pdf")
        assert headers["Content-Security-Policy"].endswith("; sandbox") is not has_viewer
        assert not shown or "html" not in headers["Content-Type"]

    @pytest.mark.parametrize("header", [{"Accept": "text/html"}, {"Sec-Fetch-Dest": "document"}])
    def test_no_request_makes_a_browser_show_them(self, header: dict[str, str]) -> None:
        link = DirectLinkFactory(file__path="a.html")
        path = f"{link.get_absolute_url()}?response-content-disposition=inline&disposition=inline"
        target = Client().get(path, headers=header).headers["Location"]
        response = Client().get(target, headers=header)
        response.getvalue()
        assert response.headers["Content-Disposition"] == 'attachment; filename="a.html"'


class TestRanges:
    @pytest.mark.parametrize(
        "header",
        [
            "bytes=" + ",".join(["0-"] * 200),
            "bytes=" + ",".join(f"{first}-{first + 9}" for first in range(200)),
            "bytes=0-0,-1,5-",
            "bytes=5-2",
            "bytes=-",
            "bytes=--5",
            "bytes=0-" + "9" * 5000,
        ],
    )
    @pytest.mark.parametrize("backend", LOCAL[:2])
    def test_one_that_asks_for_more_than_a_part_gives_the_file_once(
        self, header: str, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        response = document(DirectLinkFactory(file__data=b"x" * 1000), Range=header)
        assert response.status_code in (200, 206)
        assert response.headers["Content-Length"] == "1000"
        assert "multipart" not in response.headers["Content-Type"]
