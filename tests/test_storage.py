"""Where contents are, and when it is certain that they are not there."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages
from django.db.models.fields.files import FieldFile
from pytest_django.fixtures import Settings

from directlinks.models import File
from directlinks.storage import content_storage, has_local_paths, lacks_bytes, without_bytes
from tests.storages import Bucket


def content(name: str) -> FieldFile:
    return File(content=name).content


def test_contents_are_in_the_sites_default_storage() -> None:
    assert content_storage() is storages["default"]


def test_a_site_may_have_a_storage_for_them_alone(settings: Settings) -> None:
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "directlinks": memory}
    assert isinstance(content_storage(), InMemoryStorage)


def test_a_storage_of_this_machine_has_local_paths(tmp_path: Path) -> None:
    assert has_local_paths(FileSystemStorage(tmp_path))
    assert has_local_paths(InMemoryStorage())
    assert not has_local_paths(Bucket())


class TestLackingBytes:
    def test_a_name_that_the_file_system_cannot_spell_has_none_and_spoils_no_other(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "a.txt").write_bytes(b"a")
        lone = "\ud800.txt"
        assert without_bytes(FileSystemStorage(tmp_path), ["a.txt", lone, "b.txt"]) == {
            lone,
            "b.txt",
        }

    def test_no_content_has_none(self) -> None:
        assert lacks_bytes(content(""))

    def test_a_file_on_the_disk_has_them(self) -> None:
        name = content_storage().save("a/b.txt", ContentFile(b""))
        assert not lacks_bytes(content(name))

    @pytest.mark.parametrize(
        "name", ["a/missing.txt", "b.txt", "../a/b.txt", "/etc/passwd", "a/b.txt\0"]
    )
    def test_anything_else_on_the_disk_has_none(self, name: str) -> None:
        content_storage().save("a/b.txt", ContentFile(b"bytes"))
        assert lacks_bytes(content(name))

    def test_a_storage_with_a_way_of_its_own_is_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        memory = InMemoryStorage()
        monkeypatch.setattr(File._meta.get_field("content"), "storage", memory)
        name = memory.save("a/b.txt", ContentFile(b"bytes"))
        assert not lacks_bytes(content(name))
        assert lacks_bytes(content("missing.txt"))

    def test_a_storage_elsewhere_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(File._meta.get_field("content"), "storage", Bucket())
        assert not lacks_bytes(content("missing.txt"))
        assert lacks_bytes(content(""))
