"""Files of other fields as the content of ours: never another file that has the same name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import (
    FileSystemStorage,
    InMemoryStorage,
    Storage,
    default_storage,
    storages,
)
from django.db import models, transaction
from django.test.utils import isolate_apps
from pytest_django.fixtures import Settings
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks.models import File
from directlinks.storage import are_same
from tests.factories import FileFactory, UserFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

OURS, THEIRS = b"a file of ours", b"a file of the site"
NAME = "a.txt"


class Plain(FileSystemStorage):
    """A class of the site's own, which finds its files as Django's does."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # pragma: no cover  # never stored


class Sorted(FileSystemStorage):
    """One that keeps them in another way."""

    def path(self, name: str) -> str:
        return super().path(f"sorted/{name}")


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    """Where our storage has a file of the name that those of the site have in theirs."""
    folder = tmp_path / "media"
    folder.mkdir()
    settings.MEDIA_ROOT = str(folder)
    (folder / NAME).write_bytes(OURS)
    return folder


def host(storage: Storage) -> Any:
    """An invoice of the site's, whose PDF is in ``storage``."""
    with isolate_apps("directlinks"):

        class Invoice(models.Model):
            pdf = models.FileField(storage=storage)

            class Meta:
                app_label = "directlinks"

            def __str__(self) -> str:
                return str(self.pdf)  # pragma: no cover  # never shown

    if not storage.exists(NAME):
        storage.save(NAME, ContentFile(THEIRS))
    return Invoice(pdf=NAME)


ELSEWHERE: dict[str, Callable[[Path], Storage]] = {
    "another folder": lambda media: FileSystemStorage(media.with_name("other")),
    "a folder below": lambda media: FileSystemStorage(media / "below"),
    "another way in the same folder": Sorted,
    "another way of an instance": lambda media: with_own_path(FileSystemStorage(media)),
    "memory": lambda media: InMemoryStorage(),
    "a bucket": lambda media: Bucket(),
}

SAME: dict[str, Callable[[Path], Storage]] = {
    "the default": lambda media: default_storage,
    "the same": lambda media: storages["default"],
    "the same folder": FileSystemStorage,
    "a class like it": Plain,
}


def with_own_path(storage: FileSystemStorage) -> FileSystemStorage:
    vars(storage)["path"] = lambda name: str(Path(storage.location, "own", name))
    return storage


ASSIGNMENTS: dict[str, Callable[[File, Any], Any]] = {
    "made": lambda file, value: File(owner=file.owner, path="b", content=value),
    "created": lambda file, value: File.objects.create(owner=file.owner, path="b", content=value),
    "created in bulk": lambda file, value: File.objects.bulk_create(
        [
            File(
                owner=file.owner,
                path="b",
                path_key="b",
                content=value,
                content_updated_at=file.content_updated_at,
            )
        ]
    ),
    "assigned": lambda file, value: setattr(file, "content", value),
    "updated": lambda file, value: File.objects.filter(pk=file.pk).update(content=value),
    "updated or created": lambda file, value: File.objects.update_or_create(
        owner=file.owner, path=file.path, defaults={"content": value}
    ),
}


@pytest.mark.parametrize("how", ASSIGNMENTS)
@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_file_of_another_storage_is_not_taken_by_its_name(
    where: str, how: str, media: Path
) -> None:
    file = FileFactory()
    before = list(File.objects.values())
    invoice = host(ELSEWHERE[where](media))
    theirs = invoice.pdf
    with pytest.raises(ValidationError) as refused, transaction.atomic():
        ASSIGNMENTS[how](file, theirs)
    assert refused.value.error_dict["content"][0].code == "elsewhere"
    assert list(File.objects.values()) == before
    assert file.content.name != NAME
    # It is still the site's.
    assert (theirs.instance, theirs.read()) == (invoice, THEIRS)
    theirs.close()


@pytest.mark.parametrize("how", ASSIGNMENTS)
@pytest.mark.parametrize("where", SAME)
def test_a_file_of_the_same_storage_is_taken_where_it_lies(
    where: str, how: str, media: Path
) -> None:
    file = FileFactory()
    invoice = host(SAME[where](media))
    ASSIGNMENTS[how](file, invoice.pdf)
    assert (invoice.pdf.instance, invoice.pdf.field.model) == (invoice, type(invoice))
    if how not in ("made", "assigned"):
        assert Path(File.objects.get(content=NAME).content.path).read_bytes() == OURS
    assert sorted(place.name for place in media.iterdir()) == [NAME, "directlinks"]


def test_an_upload_that_another_field_has_not_stored_is_copied(media: Path) -> None:
    invoice = host(FileSystemStorage(media.with_name("other")))
    invoice.pdf = ContentFile(b"an upload", name="upload.pdf")
    file = File.objects.create(owner=UserFactory(), path="a.pdf", content=invoice.pdf)
    assert str(file.content).startswith("directlinks/")
    assert Path(file.content.path).read_bytes() == b"an upload"
    assert (file.size, invoice.pdf.field.model) == (9, type(invoice))
    assert not media.with_name("other").joinpath("upload.pdf").exists()


def test_an_open_file_is_copied_from_any_storage(media: Path) -> None:
    invoice = host(FileSystemStorage(media.with_name("other")))
    content = ContentFile(invoice.pdf.read(), name="x")
    file = File.objects.create(owner=UserFactory(), path="a.pdf", content=content)
    assert Path(file.content.path).read_bytes() == THEIRS
    invoice.pdf.close()


def test_a_field_without_a_file_gives_none(media: Path) -> None:
    invoice = host(FileSystemStorage(media.with_name("other")))
    invoice.pdf = ""
    file = FileFactory()
    file.content = invoice.pdf
    assert not file.content


def test_the_content_of_another_file_of_ours_is_taken() -> None:
    one, other = FileFactory(data=b"one"), FileFactory(data=b"other")
    one.content = other.content
    one.save()
    fresh = File.objects.get(pk=one.pk)
    assert (fresh.content.name, fresh.size) == (other.content.name, 5)


def test_a_name_that_the_storage_lacks_is_refused(media: Path) -> None:
    with pytest.raises(ValidationError):
        File.objects.create(owner=UserFactory(), path="a.pdf", content="nothing.pdf")


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({}, True),
        ({"bucket_name": "b"}, False),
        ({"location": "below"}, False),
        ({"endpoint_url": "http://127.0.0.1:9"}, False),
    ],
)
def test_buckets_are_told_by_what_they_were_made_of(options: dict[str, str], same: bool) -> None:
    usual = {"bucket_name": "a", "endpoint_url": "http://127.0.0.1:1"}
    one, other = S3Storage(**usual), S3Storage(**{**usual, **options})
    assert are_same(one, other) is same


def test_the_lazy_default_storage_is_the_one_that_it_stands_for() -> None:
    assert are_same(default_storage, storages["default"])
