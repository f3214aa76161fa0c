"""What the web server in front is told: which file, and what to say of it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.checks import run_checks
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from directlinks.core.errors import LinkNotFound
from directlinks.delivery.backends.web_server import AccelBackend, SendfileBackend
from directlinks.delivery.headers import document_headers
from directlinks.models import DirectLink
from tests.delivery.downloads import delivery, download
from tests.factories import DirectLinkFactory

NAMES = [
    ("directlinks/x/a.png", "directlinks/x/a.png"),
    ("a b.png", "a%20b.png"),
    ("a%20b.png", "a%2520b.png"),
    ('a"b.png', "a%22b.png"),
    ("a'b?c#d;e.png", "a%27b%3Fc%23d%3Be.png"),
    ("新.png", "%E6%96%B0.png"),
    ("a\r\nX-Evil: b", "a%0D%0AX-Evil%3A%20b"),
]


def handed_over(backend: AccelBackend | SendfileBackend, stored: str) -> Any:
    return backend.deliver(RequestFactory().get("/"), download(stored=stored), timezone.now())


@pytest.mark.parametrize(("stored", "quoted"), NAMES)
def test_nginx_reads_the_place_quoted(stored: str, quoted: str) -> None:
    response = handed_over(AccelBackend(FileSystemStorage()), stored)
    assert response.headers["X-Accel-Redirect"] == f"/protected/{quoted}"


@pytest.mark.parametrize(("stored", "quoted"), NAMES)
def test_another_server_may_read_the_path_quoted(stored: str, quoted: str) -> None:
    backend = SendfileBackend(FileSystemStorage("/srv/files"), quoted=True)
    assert handed_over(backend, stored).headers["X-Sendfile"] == f"/srv/files/{quoted}"


@pytest.mark.parametrize("stored", ["a b.png", "a%20b.png", 'a"b?c#d.png', "新.png"])
def test_apache_reads_the_bytes_of_the_path(stored: str) -> None:
    response = handed_over(SendfileBackend(FileSystemStorage("/srv/files")), stored)
    # On the wire, the characters of a header are bytes.
    assert response.headers["X-Sendfile"].encode("latin-1") == f"/srv/files/{stored}".encode()


def test_a_name_that_would_end_the_header_is_not_found() -> None:
    with pytest.raises(LinkNotFound):
        handed_over(SendfileBackend(FileSystemStorage("/srv/files")), "a\r\nX-Evil: b")


@given(stored=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example(stored="../a")
def test_whatever_the_name_it_is_one_header_that_leads_back(stored: str) -> None:
    storage = FileSystemStorage()
    try:
        storage.path(stored)
    except SuspiciousFileOperation:
        with pytest.raises(LinkNotFound):
            handed_over(AccelBackend(storage), stored)
        return
    header = handed_over(AccelBackend(storage), stored).headers["X-Accel-Redirect"]
    assert header.isascii()
    assert header.isprintable()
    assert " " not in header
    assert unquote(header) == f"/protected/{stored}"


def test_the_site_says_where_and_by_which_header(tmp_path: Path) -> None:
    response = handed_over(AccelBackend(FileSystemStorage(), location="/private files/"), "a.png")
    assert response.headers["X-Accel-Redirect"] == "/private%20files/a.png"
    response = handed_over(SendfileBackend(FileSystemStorage(tmp_path), header="X-Send"), "a.png")
    assert response.headers["X-Send"] == f"{tmp_path}/a.png"
    assert "X-Sendfile" not in response.headers


@pytest.mark.parametrize("backend", [AccelBackend, SendfileBackend])
@pytest.mark.parametrize("changes", [{}, {"limited": True}, {"attachment": True}])
def test_the_answer_is_empty_and_has_all_headers_of_the_document(
    backend: type[AccelBackend | SendfileBackend], changes: dict[str, Any]
) -> None:
    document = download(**changes)
    response: Any = backend(FileSystemStorage()).deliver(
        RequestFactory().get("/"), document, timezone.now()
    )
    assert (response.status_code, response.content) == (200, b"")
    headers = dict(response.headers)
    del headers["X-Accel-Redirect" if backend is AccelBackend else "X-Sendfile"]
    # The validators of a file that is there are nginx's own.
    assert headers == {**document_headers(document), "Content-Length": "0"}


def test_a_file_that_is_rewritten_has_other_validators_for_apache(tmp_path: Path) -> None:
    backend, file = SendfileBackend(FileSystemStorage(tmp_path)), tmp_path / "a.png"

    def validators() -> tuple[str | None, str | None]:
        headers = handed_over(backend, "a.png").headers
        return headers.get("ETag"), headers.get("Last-Modified")

    assert validators() == (None, None)
    seen = set()
    for data, moment in ((b"x", 1_000), (b"xy", 1_000), (b"xy", 2_000)):
        file.write_bytes(data)
        os.utime(file, (moment, moment))
        seen.add(validators())
    assert len({etag for etag, _ in seen}) == 3
    assert {modified for _, modified in seen} == {
        "Thu, 01 Jan 1970 00:16:40 GMT",
        "Thu, 01 Jan 1970 00:33:20 GMT",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("backend", "header"),
    [("AccelBackend", "X-Accel-Redirect"), ("SendfileBackend", "X-Sendfile")],
)
class TestVisits:
    def test_they_are_counted(self, backend: str, header: str, settings: Settings) -> None:
        settings.DIRECTLINKS = delivery(f"web_server.{backend}")
        link = DirectLinkFactory()
        for method in ("GET", "HEAD"):
            response = Client().generic(method, link.get_absolute_url())
            assert response.status_code == 200
            assert response.headers[header].endswith(f"/{link.file.content.name}")
        assert DirectLink.objects.get().downloads == 1

    def test_a_link_that_is_used_up_names_no_file(
        self, backend: str, header: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(f"web_server.{backend}")
        response = Client().get(DirectLinkFactory(max_downloads=0).get_absolute_url())
        assert response.status_code == 410
        assert header not in response.headers


class TestChecks:
    @pytest.mark.parametrize("location", ["/protected/", "/a/b/", "/"])
    def test_a_location_between_slashes_is_right(self, location: str) -> None:
        assert AccelBackend(FileSystemStorage(), location=location).check() == []

    @pytest.mark.parametrize("location", ["protected/", "/protected", "protected", ""])
    def test_any_other_is_an_error(self, location: str, settings: Settings) -> None:
        settings.DIRECTLINKS = delivery("web_server.AccelBackend", location=location)
        (fault,) = run_checks(tags=["directlinks"])
        assert fault.id == "directlinks.E018"
        assert repr(location) in fault.msg

    def test_apache_needs_no_option(self) -> None:
        assert SendfileBackend(FileSystemStorage()).check() == []

    @pytest.mark.parametrize("backend", ["AccelBackend", "SendfileBackend"])
    def test_files_must_be_on_this_machine(self, backend: str, settings: Settings) -> None:
        settings.DIRECTLINKS = delivery(f"web_server.{backend}")
        bucket = {"BACKEND": "tests.storages.Bucket"}
        settings.STORAGES = {**settings.STORAGES, "directlinks": bucket}
        (fault,) = run_checks(tags=["directlinks"])
        assert fault.id == "directlinks.E022"
        assert fault.msg == f"{backend} requires local files, which Bucket does not have."
