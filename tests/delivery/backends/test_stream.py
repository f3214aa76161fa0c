"""The bytes from the link itself, without a redirect."""

import os
from io import FileIO
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.delivery.reading import open_local_file
from directlinks.models import DirectLink, File
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

DATA = b"0123456789"


@pytest.fixture(autouse=True)
def _streamed(settings: Settings) -> None:
    settings.DIRECTLINKS = delivery("stream.StreamBackend")


@pytest.fixture(params=["local", "bucket"])
def link(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "bucket":
        monkeypatch.setattr(File._meta.get_field("content"), "storage", Bucket())
    return DirectLinkFactory(file__path="folder/a.bin", file__data=DATA)


def visit(link: DirectLink, method: str = "GET", prefix: str = "/f/", **headers: str) -> Any:
    path = link.get_absolute_url().replace("/f/", prefix, 1)
    return Client().generic(method, path, headers=headers)


def downloads(link: DirectLink) -> int:
    return DirectLink.objects.values_list("downloads", flat=True).get(pk=link.pk)


@pytest.mark.parametrize(
    ("method", "headers", "status", "body", "counted"),
    [
        ("GET", {}, 200, DATA, 1),
        ("GET", {"Range": "bytes=0-3"}, 206, b"0123", 1),
        ("GET", {"Range": "bytes=4-"}, 206, b"456789", 0),
        ("GET", {"Range": "bytes=-2"}, 206, b"89", 0),
        ("GET", {"Range": "bytes=10-"}, 416, b"", 0),
        ("GET", {"Range": "bytes=0-1,4-5"}, 200, DATA, 1),
        ("GET", {"If-None-Match": "*"}, 304, b"", 0),
        ("GET", {"If-Match": '"another"'}, 412, b"", 0),
        ("GET", {"Range": "bytes=0-3", "If-Range": '"another"'}, 200, DATA, 1),
        ("GET", {"User-Agent": "Slackbot 1.0"}, 200, DATA, 0),
        ("HEAD", {}, 200, b"", 0),
        ("HEAD", {"If-None-Match": "*"}, 304, b"", 0),
    ],
)
def test_a_visit_is_answered_in_full_and_counted_if_it_took_the_file(
    method: str, headers: dict[str, str], status: int, body: bytes, counted: int, link: Any
) -> None:
    response = visit(link, method, **headers)
    assert (response.status_code, response.getvalue()) == (status, body)
    assert downloads(link) == counted


def test_a_part_says_which(link: Any) -> None:
    response = visit(link, Range="bytes=4-6")
    assert response.getvalue() == b"456"
    assert response.headers["Content-Range"] == "bytes 4-6/10"
    assert response.headers["Content-Length"] == "3"


def test_a_head_has_the_headers_of_the_whole(link: Any) -> None:
    whole, head = visit(link), visit(link, "HEAD")
    whole.getvalue()
    del whole.headers["Content-Encoding"]
    assert dict(head.headers) == dict(whole.headers)
    assert head.headers["Content-Length"] == "10"


def test_a_copy_may_be_kept_and_has_to_be_confirmed(link: Any) -> None:
    response = visit(link)
    response.getvalue()
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["ETag"].startswith(f'"{link.file.version}')


def test_it_can_be_saved_instead_of_shown() -> None:
    link = DirectLinkFactory(file__path="a.png")
    shown, saved = visit(link), visit(link, prefix="/f/d/")
    assert shown.getvalue() == saved.getvalue() == b"some bytes"
    assert shown.headers["Content-Disposition"] == 'inline; filename="a.png"'
    assert saved.headers["Content-Disposition"] == 'attachment; filename="a.png"'


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_bytes_that_are_gone_are_a_404_that_is_not_counted(method: str, link: Any) -> None:
    link.file.content.storage.delete(link.file.content.name)
    response = visit(link, method)
    assert (response.status_code, response.getvalue() == b"") == (404, method == "HEAD")
    assert downloads(link) == 0


def test_a_revoked_link_is_a_404(link: Any) -> None:
    DirectLink.objects.filter(pk=link.pk).revoke(timezone.now())
    assert visit(link).status_code == 404


class TestLimited:
    def test_each_download_is_counted_and_no_cache_keeps_it(self) -> None:
        link = DirectLinkFactory(max_downloads=2)
        first, second, third = visit(link), visit(link, Range="bytes=5-"), visit(link)
        assert (first.getvalue(), second.getvalue()) == (b"some bytes", b"bytes")
        assert first.headers["Cache-Control"] == "private, no-store"
        assert third.status_code == 410
        assert downloads(link) == 2

    def test_a_head_shows_the_headers_and_is_not_counted(self) -> None:
        link = DirectLinkFactory(max_downloads=1)
        response = visit(link, "HEAD")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Cache-Control"] == "private, no-store"
        assert downloads(link) == 0

    @pytest.mark.parametrize("headers", [{"Range": "bytes=99-"}, {"If-None-Match": "*"}])
    def test_an_answer_without_bytes_uses_nothing_up(self, headers: dict[str, str]) -> None:
        link = DirectLinkFactory(max_downloads=1)
        assert visit(link, **headers).getvalue() == b""
        assert downloads(link) == 0

    def test_a_preview_gets_nothing(self) -> None:
        link = DirectLinkFactory(max_downloads=1)
        response = visit(link, **{"Sec-Purpose": "prefetch"})
        assert response.status_code == 503
        assert response.headers["Cache-Control"] == "private, no-store"
        assert downloads(link) == 0


@pytest.mark.parametrize(
    ("limits", "msg"),
    [({"max_downloads": 1}, "Direct link used up"), ({}, "direct link not found")],
)
def test_a_count_that_is_refused_at_the_last_moment_closes_the_file(
    limits: dict[str, int], msg: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = DirectLinkFactory(**limits)
    opened: list[FileIO] = []

    def overtaken(storage: FileSystemStorage, name: str) -> tuple[FileIO, os.stat_result]:
        """Open the file while another visitor takes the link, or its owner revokes it."""
        file, status = open_local_file(storage, name)
        opened.append(file)
        rows = DirectLink.objects.filter(pk=link.pk)
        if limits:
            rows.update(downloads=1)
        else:
            rows.revoke(timezone.now())
        return file, status

    monkeypatch.setattr("directlinks.delivery.reading.open_local_file", overtaken)
    response = visit(link)
    assert response.json()["msg"] == msg
    assert [file.closed for file in opened] == [True]
