"""The bytes over HTTP, seen through the temporary content URL."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import AsyncClient, Client
from django.utils.http import http_date
from pytest_django.fixtures import Settings

from directlinks.delivery.headers import SANDBOX
from directlinks.models import DirectLink, File
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

DATA = bytes(range(100))


@pytest.fixture
def link() -> Any:
    return DirectLinkFactory(file__path="folder/bytes.bin", file__data=DATA)


def target_of(link: DirectLink, prefix: str = "/f/") -> str:
    """The temporary content URL of ``link``, without its host."""
    path = link.get_absolute_url().replace("/f/", prefix, 1)
    return Client().get(path).headers["Location"]


def fetch(link: DirectLink, **headers: str) -> Any:
    return Client().get(target_of(link), headers=headers)


def validators(link: DirectLink) -> dict[str, str]:
    """The ETag and Last-Modified of the content behind ``link`` now."""
    response = Client().head(target_of(link))
    return {"etag": response.headers["ETag"], "modified": response.headers["Last-Modified"]}


def spelt(template: str, link: DirectLink) -> str:
    return template.format(**validators(link))


class TestRanges:
    @pytest.mark.parametrize(
        ("header", "status", "content_range", "body"),
        [
            ("bytes=0-0", 206, "bytes 0-0/100", DATA[:1]),
            ("bytes=99-99", 206, "bytes 99-99/100", DATA[99:]),
            ("bytes=10-", 206, "bytes 10-99/100", DATA[10:]),
            ("bytes=10-19", 206, "bytes 10-19/100", DATA[10:20]),
            ("bytes=90-1000", 206, "bytes 90-99/100", DATA[90:]),
            ("bytes=-5", 206, "bytes 95-99/100", DATA[95:]),
            ("bytes=-1000", 206, "bytes 0-99/100", DATA),
            ("bytes=100-", 416, "bytes */100", b""),
            ("bytes=-0", 416, "bytes */100", b""),
            ("bytes=5-2", 200, None, DATA),
            ("bytes=0-0,5-9", 200, None, DATA),
            ("lines=0-1", 200, None, DATA),
            ("nonsense", 200, None, DATA),
        ],
    )
    def test_one_range_is_honoured_and_every_other_header_ignored(
        self, header: str, status: int, content_range: str | None, body: bytes, link: Any
    ) -> None:
        response = fetch(link, Range=header)
        assert response.status_code == status
        assert response.headers.get("Content-Range") == content_range
        assert response.headers["Content-Length"] == str(len(body))
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.getvalue() == body

    def test_an_empty_file_is_served_whole_whatever_the_range(self) -> None:
        response = fetch(DirectLinkFactory(file__data=b""), Range="bytes=0-10")
        assert (response.status_code, response.getvalue()) == (200, b"")
        assert response.headers["Content-Length"] == "0"

    def test_a_head_has_the_headers_of_the_whole_file(self, link: Any) -> None:
        target = target_of(link)
        whole, head = Client().get(target), Client().head(target, headers={"Range": "bytes=1-2"})
        whole.getvalue()
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == "100"
        assert dict(head.headers) == dict(whole.headers)

    @pytest.mark.parametrize(
        ("if_range", "status"),
        [
            ("{etag}", 206),
            ("{modified}", 206),
            ("W/{etag}", 200),
            ('"another"', 200),
            ("Sat, 01 Jan 2000 00:00:00 GMT", 200),
        ],
    )
    def test_a_part_is_given_only_of_the_content_that_the_client_has(
        self, if_range: str, status: int, link: Any
    ) -> None:
        validator = spelt(if_range, link)
        response = fetch(link, **{"Range": "bytes=10-19", "If-Range": validator})
        response.getvalue()
        assert response.status_code == status

    def test_a_resume_after_the_content_was_replaced_starts_anew(self, link: Any) -> None:
        etag = validators(link)["etag"]
        link.file.content = ContentFile(b"other bytes", name="x")
        link.file.save()
        response = fetch(link, **{"Range": "bytes=5-", "If-Range": etag})
        assert (response.status_code, response.getvalue()) == (200, b"other bytes")
        assert response.headers["ETag"] != etag

    def test_a_rename_does_not_break_a_resume(self, link: Any) -> None:
        etag = validators(link)["etag"]
        link.file.path = "renamed.bin"
        link.file.save()
        response = fetch(link, **{"Range": "bytes=98-", "If-Range": etag})
        assert (response.status_code, response.getvalue()) == (206, DATA[98:])


class TestConditions:
    @pytest.mark.parametrize(
        ("header", "value", "status"),
        [
            ("If-None-Match", "{etag}", 304),
            ("If-None-Match", "W/{etag}", 304),
            ("If-None-Match", "*", 304),
            ("If-None-Match", '"another"', 200),
            ("If-Modified-Since", "{modified}", 304),
            ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT", 200),
            ("If-Match", "{etag}", 200),
            ("If-Match", '"another"', 412),
            ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT", 412),
        ],
    )
    def test_they_are_judged_before_a_range(
        self, header: str, value: str, status: int, link: Any
    ) -> None:
        validator = spelt(value, link)
        response = fetch(link, **{header: validator})
        response.getvalue()
        assert response.status_code == status
        ranged = fetch(link, **{header: validator, "Range": "bytes=0-1"})
        ranged.getvalue()
        assert ranged.status_code == (206 if status == 200 else status)

    def test_not_modified_has_no_body(self, link: Any) -> None:
        response = fetch(link, **{"If-None-Match": validators(link)["etag"]})
        assert response.content == b""
        assert response.headers["Content-Length"] == "100"


class TestHeaders:
    def test_what_a_stranger_uploaded_runs_nothing_and_is_indexed_by_nobody(
        self, link: Any
    ) -> None:
        response = fetch(link)
        response.getvalue()
        shown = {name: response.headers[name] for name in SAFE_HEADERS}
        assert shown == SAFE_HEADERS
        assert "Set-Cookie" not in response.headers
        assert not response.cookies

    @pytest.mark.parametrize(
        ("name", "content_type", "disposition"),
        [
            ("a.png", "image/png", "inline"),
            ("a.mp4", "video/mp4", "inline"),
            ("a.mp3", "audio/mpeg", "inline"),
            ("a.pdf", "application/pdf", "inline"),
            ("a.txt", "text/plain; charset=utf-8", "inline"),
            ("a.html", "text/html; charset=utf-8", "attachment"),
            ("a.svg", "image/svg+xml", "attachment"),
            ("a.xml", "text/xml; charset=utf-8", "attachment"),
            ("a.xhtml", "application/xhtml+xml", "attachment"),
            ("a.mht", "message/rfc822", "attachment"),
            ("a.js", "text/javascript; charset=utf-8", "attachment"),
            ("a.css", "text/css; charset=utf-8", "attachment"),
            ("a.unheard-of", "application/octet-stream", "attachment"),
            ("README", "application/octet-stream", "attachment"),
        ],
    )
    def test_only_passive_types_are_shown_in_the_browser(
        self, name: str, content_type: str, disposition: str
    ) -> None:
        link = DirectLinkFactory(file__path=name)
        response = fetch(link)
        response.getvalue()
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == f'{disposition}; filename="{name}"'
        forced = Client().get(target_of(link, "/f/d/"))
        forced.getvalue()
        assert forced.headers["Content-Disposition"] == f'attachment; filename="{name}"'

    @pytest.mark.parametrize(
        ("content_type", "disposition"),
        [
            ("IMAGE/PNG", "inline"),
            ("image/png; x=y", "inline"),
            ("text/html", "attachment"),
            ("text/plain; charset=latin-1", "inline"),
        ],
    )
    def test_a_type_of_ones_own_is_read_by_its_essence(
        self, content_type: str, disposition: str
    ) -> None:
        response = fetch(DirectLinkFactory(file__path="x", file__content_type=content_type))
        response.getvalue()
        assert response.headers["Content-Disposition"].startswith(disposition)
        assert response.headers["Content-Type"].startswith(content_type)

    @pytest.mark.parametrize(
        ("name", "parameter"),
        [
            ('a"b.bin', "filename=\"a_b.bin\"; filename*=utf-8''a%22b.bin"),
            ("a;b.bin", 'filename="a;b.bin"'),
            ("新.bin", "filename=\"file.bin\"; filename*=utf-8''%E6%96%B0.bin"),
            ("a\u202efdp.exe", 'filename="afdp.exe"'),
            ("a\\b.bin", "filename=\"a_b.bin\"; filename*=utf-8''a%5Cb.bin"),
        ],
    )
    def test_names_are_quoted_and_cannot_reorder_themselves(
        self, name: str, parameter: str
    ) -> None:
        response = fetch(DirectLinkFactory(file__path=name, file__content_type="x/y"))
        response.getvalue()
        assert response.headers["Content-Disposition"] == f"attachment; {parameter}"

    def test_the_sites_time_zone_does_not_matter(self, link: Any, settings: Settings) -> None:
        settings.USE_TZ = False
        link.refresh_from_db()
        written = Path(link.file.content.path).stat().st_mtime
        assert validators(link)["modified"] == http_date(int(written))


SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": SANDBOX,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-cache",
}


class TestBytesThatAreGone:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_they_are_a_404_and_a_line_in_the_log(
        self, method: str, link: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        target = target_of(link)
        link.file.content.storage.delete(link.file.content.name)
        response = Client().generic(method, target)
        assert response.status_code == 404
        assert f"Link {link.pk} has no content: [Errno 2] No such file" in caplog.text


class TestStreaming:
    def test_a_file_leaves_block_by_block(self, link: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("directlinks.delivery.responses.BLOCK_BYTES", 30)
        response = fetch(link, Range="bytes=5-89")
        assert [len(block) for block in response.streaming_content] == [30, 30, 25]

    def test_an_event_loop_is_given_blocks_too(
        self, link: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("directlinks.delivery.responses.BLOCK_BYTES", 30)
        target = target_of(link)

        async def blocks() -> list[bytes]:
            response: Any = await AsyncClient().get(target, headers={"Range": "bytes=5-89"})
            received = [block async for block in response.streaming_content]
            await sync_to_async(response.close)()
            return received

        assert async_to_sync(blocks)() == [DATA[5:35], DATA[35:65], DATA[65:90]]


@pytest.mark.parametrize("name", ["folder", "folder/a.bin/below", "../outside.bin"])
def test_a_stored_name_that_is_no_file_is_a_404(name: str) -> None:
    link = DirectLinkFactory(file__path="a.bin")
    storages["default"].save("folder/a.bin", ContentFile(b"x"))
    target = target_of(link)
    File.objects.filter(pk=link.file_id).update(content=name)
    assert Client().get(target).status_code == 404


def test_a_stored_type_that_is_none_is_sent_as_unknown() -> None:
    link = DirectLinkFactory()
    target = target_of(link)
    File.objects.filter(pk=link.file_id).update(content_type="image/png; , text/html")
    response = Client().get(target)
    response.getvalue()
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


class TestAFileThatTheHostRewrites:
    """In its place, without its record: what a client has of it is never taken for the new one."""

    @pytest.fixture(autouse=True)
    def _rewritten(self, link: Any) -> None:
        self.before = validators(link)
        path = Path(link.file.content.path)
        path.write_bytes(DATA[::-1])
        os.utime(path, (time.time() + 5, time.time() + 5))

    @pytest.mark.parametrize(
        ("header", "validator"),
        [("If-None-Match", "etag"), ("If-Modified-Since", "modified")],
    )
    def test_is_sent_again(self, header: str, validator: str, link: Any) -> None:
        response = fetch(link, **{header: self.before[validator]})
        assert (response.status_code, response.getvalue()) == (200, DATA[::-1])

    @pytest.mark.parametrize("validator", ["etag", "modified"])
    def test_is_not_resumed(self, validator: str, link: Any) -> None:
        response = fetch(link, **{"Range": "bytes=50-", "If-Range": self.before[validator]})
        assert (response.status_code, response.getvalue()) == (200, DATA[::-1])

    def test_has_the_length_that_it_has_and_its_record_follows(self, link: Any) -> None:
        Path(link.file.content.path).write_bytes(b"shorter")
        target = target_of(link)
        version = link.file.version
        response = Client().get(target)
        assert (response.headers["Content-Length"], response.getvalue()) == ("7", b"shorter")
        link.file.refresh_from_db()
        assert (link.file.size, link.file.version) == (7, version)

    def test_costs_a_statement_only_if_its_size_is_another(
        self, link: Any, django_assert_num_queries: Any
    ) -> None:
        target = target_of(link)
        with django_assert_num_queries(1):
            Client().get(target).getvalue()
        Path(link.file.content.path).write_bytes(b"shorter")
        with django_assert_num_queries(2):
            Client().get(target).getvalue()
        with django_assert_num_queries(1):
            Client().get(target).getvalue()

    def test_is_sent_if_its_record_cannot_be_written(
        self, link: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def read_only(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("attempt to write a readonly database")

        Path(link.file.content.path).write_bytes(b"shorter")
        target = target_of(link)
        monkeypatch.setattr(QuerySet, "update", read_only)
        assert Client().get(target).getvalue() == b"shorter"
        assert f"The size of the file of link {link.pk} stays" in caplog.text


@pytest.mark.parametrize("seconds", [-5_000_000_000, 300_000_000_000])
def test_a_file_may_have_any_time(seconds: int, link: Any) -> None:
    path = Path(link.file.content.path)
    os.utime(path, (seconds, seconds))
    written = path.stat().st_mtime  # as far as the file system can
    clamped = min(max(written, 0), 253_402_300_799)
    assert validators(link)["modified"] == http_date(clamped)


class TestMiddlewareThatCompresses:
    """Django's own, around the ordinary view."""

    @pytest.fixture(autouse=True)
    def _compressing(self, settings: Settings, link: Any) -> None:
        settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]
        link.file.content = ContentFile(b"a" * 10_000, name="x")
        link.file.save()

    @pytest.mark.parametrize(("sent", "size"), [({}, 10_000), ({"Range": "bytes=0-4999"}, 5_000)])
    def test_leaves_the_bytes_and_their_strong_etag_alone(
        self, sent: dict[str, str], size: int, link: Any
    ) -> None:
        response = fetch(link, **{"Accept-Encoding": "gzip", **sent})
        assert response.getvalue() == b"a" * size
        assert response.headers["Content-Length"] == str(size)
        assert response.headers["ETag"] == validators(link)["etag"]
        # "identity" is no encoding that may be sent (RFC 9110, section 8.4.1).
        assert "Content-Encoding" not in response.headers
