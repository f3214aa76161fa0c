"""Contents in several storages: each row says in which, and all that reads contents goes by it."""

import pickle
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.contrib.fastlane.response_cache import clear
from directlinks.core import uris
from directlinks.core.errors import EntityNotExist
from directlinks.models import DirectLink, File
from directlinks.policies import OwnerOrAdmin
from directlinks.services.diagnostics import Kind, examine
from directlinks.services.locating import locate
from directlinks.services.moving import Move, move_content
from directlinks.storage import lacks_bytes
from tests.factories import DirectLinkFactory, FileFactory
from tests.serving.doors import Door, view, wsgi

pytestmark = pytest.mark.django_db

DATA = b"some bytes"  # of every file of the factory
STREAM = {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}
REDIRECT = {"BACKEND": "directlinks.delivery.backends.storage_url.StorageURLBackend"}
ACCEL = {"BACKEND": "directlinks.delivery.backends.web_server.AccelBackend"}


@pytest.fixture(autouse=True)
def _storages(settings: Settings, tmp_path: Path) -> Iterator[None]:
    disk = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        "bucket": {"BACKEND": "tests.storages.Bucket"},
        "disk": {"BACKEND": disk, "OPTIONS": {"location": str(tmp_path / "disk")}},
    }
    clear()
    yield
    clear()


def file_in(alias: str, **facts: Any) -> File:
    file = FileFactory(**facts)
    if alias != "default":
        move_content(file, Move("default", alias))
        file.refresh_from_db()
    return file


def link_in(alias: str) -> DirectLink:
    link: DirectLink = DirectLinkFactory(file=file_in(alias))
    return link


@pytest.mark.parametrize("door", [view, wsgi])
@pytest.mark.parametrize("cache_seconds", [0, 60])
@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (None, {"default": "signed", "disk": "signed", "bucket": "redirect"}),
        (STREAM, {"default": "stream", "disk": "stream", "bucket": "stream"}),
        (ACCEL, {"default": "accel", "disk": "signed", "bucket": "redirect"}),
        ({"default": STREAM}, {"default": "stream", "disk": "signed", "bucket": "redirect"}),
        ({"default": REDIRECT}, {"disk": "signed", "bucket": "redirect"}),
        ({"disk": STREAM, "bucket": STREAM}, {"default": "signed", "disk": "stream"}),
        ({"disk": ACCEL, "bucket": STREAM}, {"disk": "accel", "bucket": "stream"}),
    ],
)
def test_each_storage_is_delivered_in_its_own_way(
    chosen: dict[str, Any] | None,
    told: dict[str, str],
    cache_seconds: int,
    door: Door,
    settings: Settings,
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": chosen, "CACHE_SECONDS": cache_seconds}
    for alias, way in told.items():
        link = link_in(alias)
        for _ in range(3):  # the first one makes the site known to the fast lane
            answer = door(link.get_absolute_url())
            location = answer.headers.get("location", "")
            if way == "stream":
                assert (answer.status, answer.body) == (200, DATA)
            elif way == "signed":
                assert (answer.status, location[:5]) == (302, "/f/t/")
                assert door(location).body == DATA
            elif way == "accel":
                assert answer.headers["x-accel-redirect"] == f"/protected/{link.file.content}"
            else:
                assert location == f"https://bucket.example/files/{link.file.content}"
        link.refresh_from_db()
        assert link.downloads == 3


@pytest.mark.parametrize("door", [view, wsgi])
@pytest.mark.parametrize("chosen", [None, STREAM])
def test_a_storage_that_the_site_has_no_more_is_its_fault(
    chosen: dict[str, Any] | None, door: Door, settings: Settings
) -> None:
    settings.DIRECTLINKS = {"DELIVERY": chosen}
    link = DirectLinkFactory()
    door(DirectLinkFactory().get_absolute_url())  # the site becomes known to the fast lane
    File.objects.filter(pk=link.file_id).update(storage_alias="former")
    assert door(link.get_absolute_url()).status == 502
    link.refresh_from_db()
    assert link.downloads == 0
    assert lacks_bytes(link.file.content)
    now = timezone.now()
    (step,) = examine(now=now, unused_for=timedelta(0), kinds=[Kind.BYTES_MISSING])
    assert [finding.link for finding in step.findings] == [link.pk]


def test_uris_lead_to_files_in_all_storages() -> None:
    there = file_in("bucket", path="bucket.txt")
    owner = there.owner
    elsewhere = [file_in("disk", path=path, owner=owner) for path in ("disk.txt", "gone.txt")]
    Path(elsewhere[1].content.path).unlink()
    lost = file_in("default", path="lost.txt", owner=owner)
    File.objects.filter(pk=lost.pk).update(storage_alias="former")
    paths = ("bucket.txt", "disk.txt", "gone.txt", "lost.txt")
    asked = [uris.parse(f"cloudreve://my/{path}") for path in paths]
    found = locate(asked, user=owner, policy=OwnerOrAdmin()).targets
    assert [one if isinstance(one, File) else type(one) for one in found] == [
        there, elsewhere[0], EntityNotExist, EntityNotExist,
    ]  # fmt: skip


def assign(content: Any) -> Callable[[File], None]:
    def act(file: File) -> None:
        file.content = content() if callable(content) else content
        file.save()

    return act


def of_another_row() -> Any:
    return file_in("disk").content


def keep(file: File) -> None:
    file.content = file.content  # as a form without an upload
    file.save()


def rename(file: File) -> None:
    file.path = "b"
    file.save()


def replace_content_alone(file: File) -> None:
    file.content = ContentFile(b"new", name="x")
    file.save(update_fields=["content"])


ACTS: dict[str, tuple[Callable[[File], object], str]] = {
    "an upload": (assign(lambda: ContentFile(b"new", name="x")), "default"),
    "a name": (assign("adopted.txt"), "default"),
    "nothing": (assign(""), "default"),
    "the content of another row": (assign(of_another_row), "disk"),
    "saved by the content": (
        lambda file: file.content.save("x", ContentFile(b"new")),
        "default",
    ),
    "deleted by the content": (lambda file: file.content.delete(), "default"),
    "the same": (keep, "bucket"),
    "another path": (rename, "bucket"),
    "the content alone": (replace_content_alone, "default"),
}


@pytest.mark.parametrize(("act", "alias"), ACTS.values(), ids=ACTS)
def test_what_is_assigned_says_where_it_lies(act: Callable[[File], object], alias: str) -> None:
    storages["default"].save("adopted.txt", ContentFile(b"adopted"))
    file = file_in("bucket")
    act(file)
    row = File.objects.get(pk=file.pk)
    assert (row.storage_alias, file.storage_alias) == (alias, alias)
    if row.content:
        assert row.content.storage.exists(str(row.content))


READINGS: dict[str, Callable[[File], File]] = {
    "whole": lambda file: File.objects.get(pk=file.pk),
    "deferred": lambda file: File.objects.defer("content").get(pk=file.pk),
    "the content alone": lambda file: File.objects.only("content").get(pk=file.pk),
    "pickled": lambda file: pickle.loads(pickle.dumps(File.objects.get(pk=file.pk))),
    "with its content pickled": lambda file: pickle.loads(pickle.dumps(file.content)).instance,
}


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_however_a_row_is_read_its_storage_is_known(read: Callable[[File], File]) -> None:
    row = read(file_in("bucket"))
    assert row.content.storage is storages["bucket"]
    assert row.content.size == len(DATA)
    assert not row.content_is_new


def test_a_row_that_is_read_again_finds_its_content_where_it_went() -> None:
    stale = FileFactory()
    move_content(File.objects.get(pk=stale.pk), Move("default", "bucket"))
    stale.refresh_from_db(fields=["content"])
    assert (stale.storage_alias, stale.content.storage) == ("bucket", storages["bucket"])
