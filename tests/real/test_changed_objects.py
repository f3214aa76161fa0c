"""Objects that were replaced behind their records, streamed by one request that tells."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.delivery.reading import _AzureBlocks
from directlinks.models import DirectLink, File
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.real.faulty_proxy import Proxy, Request
from tests.real.object_storage import (
    ObjectStorage,
    keep_files_in,
    storage_of_this_process,
)

pytestmark = pytest.mark.django_db

OLD = b"0123456789"
NEW = {"longer": b"ABCDEFGHIJKLMNOP", "shorter": b"ABCDE", "as long": b"ABCDEFGHIJ", "empty": b""}


@pytest.fixture
def link(
    storage_and_proxy: tuple[ObjectStorage, Proxy],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A link that streams a file which was stored two minutes ago."""
    settings.DIRECTLINKS = delivery("stream.StreamBackend")
    keep_files_in(storage_and_proxy[0].storage(), settings, monkeypatch)
    link = DirectLinkFactory(file__path="a.bin", file__data=OLD)
    then = timezone.now() - timedelta(minutes=2)
    File.objects.filter(pk=link.file_id).update(content_updated_at=then)
    return link


def visit(link: DirectLink, method: str = "GET", **headers: str) -> Any:
    return Client().generic(method, link.get_absolute_url(), headers=headers)


def replace(link: DirectLink, data: bytes) -> None:
    name = link.file.content.name
    storage_of_this_process().delete(name)
    assert storage_of_this_process().save(name, ContentFile(data)) == name


def seen(answer: Any) -> tuple[int, bytes, str | None, str | None]:
    headers = answer.headers
    body = answer.getvalue()
    return answer.status_code, body, headers.get("Content-Length"), headers.get("Content-Range")


@pytest.mark.parametrize("change", NEW)
def test_no_answer_mixes_what_was_and_what_is(
    link: Any, storage_and_proxy: tuple[ObjectStorage, Proxy], change: str
) -> None:
    new = NEW[change]
    version = File.objects.get().version
    whole = (200, new, str(len(new)), None)
    end = len(new) - 1
    asked: dict[str, tuple[Callable[[], Any], Any]] = {
        "whole": (lambda: visit(link), whole),
        "head": (lambda: visit(link, "HEAD"), (200, b"", str(len(new)), None)),
        "part": (
            lambda: visit(link, Range="bytes=2-3"),
            (206, new[2:4], "2", f"bytes 2-3/{len(new)}") if new else whole,
        ),
        "resumed": (
            lambda: visit(link, **{"Range": "bytes=4-", "If-Range": f'"{version}"'}),
            whole,
        ),
        "behind the old end": (
            lambda: visit(link, Range="bytes=12-"),
            (206, new[12:], str(len(new) - 12), f"bytes 12-{end}/{len(new)}")
            if len(new) > 12
            else (whole if not new else (416, b"", "0", f"bytes */{len(new)}")),
        ),
    }
    replace(link, new)
    for case, (ask, expected) in asked.items():
        File.objects.update(
            version=version,
            size=len(OLD),
            content_updated_at=timezone.now() - timedelta(minutes=2),
        )
        answer = ask()
        etag = answer.headers["ETag"]
        assert seen(answer) == expected, case
        assert etag != f'"{version}"', case
        row = File.objects.get()
        assert (f'"{row.version}"', row.size) == (etag, len(new)), case
        # Now the row is right, and one request is enough again.
        with storage_and_proxy[1].counting() as requests:
            again = visit(link)
            assert seen(again) == whole
            assert again.headers["ETag"] == etag
            assert visit(link, **{"If-None-Match": etag}).status_code == 304
        assert len(requests) == 1, case


def test_a_content_that_is_written_all_the_time_is_for_later(
    link: Any, storage_and_proxy: tuple[ObjectStorage, Proxy]
) -> None:
    storage, proxy = storage_and_proxy
    writing = storage.storage()
    sizes = iter(range(11, 99))

    def judge(asked: Request) -> None:
        if asked.method == "GET":  # pragma: no branch
            proxy.judge = lambda asked: None
            writing.delete(link.file.content.name)
            writing.save(link.file.content.name, ContentFile(b"x" * next(sizes)))
            proxy.judge = judge

    proxy.judge = judge
    try:
        answer = visit(link)
    finally:
        proxy.judge = lambda asked: None
    assert answer.status_code == 503


def test_a_large_content_is_read_in_blocks(
    link: Any, storage_and_proxy: tuple[ObjectStorage, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_AzureBlocks, "block_bytes", 4)
    assert seen(visit(link)) == (200, OLD, "10", None)
    assert seen(visit(link, Range="bytes=1-9"))[:2] == (206, OLD[1:])


@pytest.mark.parametrize("size", [0, 10])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_object_that_is_gone_is_not_found(link: Any, method: str, size: int) -> None:
    File.objects.update(size=size)
    storage_of_this_process().delete(link.file.content.name)
    assert visit(link, method).status_code == 404
