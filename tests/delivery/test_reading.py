"""Part of a content, from wherever it is."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from directlinks.delivery import reading
from directlinks.delivery.registry import StorageRegistry
from tests.storages import Bucket

DATA = b"0123456789"


@pytest.fixture(autouse=True)
def _readers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_readers", StorageRegistry())


@pytest.fixture
def stored() -> Bucket:
    storage = Bucket()
    storage.save("a.bin", ContentFile(DATA))
    return storage


@pytest.mark.parametrize(
    ("start", "length", "part"), [(0, 10, DATA), (3, 4, b"3456"), (9, 1, b"9"), (0, 0, b"")]
)
def test_a_storage_that_opens_files_is_read_from_there_on(
    start: int, length: int, part: bytes, stored: Bucket
) -> None:
    opened = reading.open_part(stored, "a.bin", start, length)
    assert opened.read(length) == part
    opened.close()


def test_a_content_that_is_gone_is_told(stored: Bucket) -> None:
    with pytest.raises(FileNotFoundError):
        reading.open_part(stored, "b.bin", 0, 1)


def test_a_site_registers_how_its_own_storage_is_read(
    stored: Bucket,
) -> None:
    asked: list[Any] = []

    def reader(storage: Any, name: str, start: int, length: int) -> BytesIO:
        asked.append((storage, name, start, length))
        return BytesIO(b"part")

    reading.register("tests.storages.Bucket", reader)
    assert reading.open_part(stored, "a.bin", 3, 4).read(9) == b"part"
    assert asked == [(stored, "a.bin", 3, 4)]


class TestAWholeContent:
    @pytest.mark.parametrize("name", ["a.bin", "b/新 a.bin", "b/../a.bin", "./a.bin", "b//c.bin"])
    def test_a_file_on_the_disk_is_the_one_that_its_storage_opens(
        self, name: str, tmp_path: Path
    ) -> None:
        storage = FileSystemStorage(tmp_path)
        for other in ("a.bin", "b/新 a.bin", "b/c.bin"):
            storage.save(other, ContentFile(other.encode()))
        file, size = reading.open_whole(storage, name)
        with storage.open(name) as expected:
            assert (file.read(99), size) == (expected.read(), storage.size(name))
        file.close()

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("missing.bin", FileNotFoundError),
            ("", IsADirectoryError),
            ("../a.bin", SuspiciousFileOperation),
            ("/etc/passwd", SuspiciousFileOperation),
            ("a.bin\0", ValueError),
        ],
    )
    def test_one_that_it_has_not_is_refused_likewise(
        self, name: str, error: type[Exception], tmp_path: Path
    ) -> None:
        storage = FileSystemStorage(tmp_path / "media")
        storage.save("a.bin", ContentFile(DATA))
        (tmp_path / "a.bin").write_bytes(b"not of this storage")
        with pytest.raises(error):
            reading.open_whole(storage, name)

    @pytest.mark.parametrize("own", ["_open", "base_location", "location", "open", "path", "size"])
    def test_a_storage_with_a_way_of_its_own_goes_that_way(self, own: str, tmp_path: Path) -> None:
        (tmp_path / "own").mkdir()
        for folder, data in ((tmp_path, DATA), (tmp_path / "own", b"own")):
            (folder / "a.bin").write_bytes(data)
        ways: dict[str, Any] = {
            "_open": lambda self, name, mode: (tmp_path / "own" / name).open(mode),
            "base_location": str(tmp_path / "own"),
            "location": str(tmp_path / "own"),
            "open": lambda self, name, mode: (tmp_path / "own" / name).open(mode),
            "path": lambda self, name: str(tmp_path / "own" / name),
            "size": lambda self, name: 3,
        }
        storage = type("Own", (FileSystemStorage,), {own: ways[own]})(tmp_path)
        file, size = reading.open_whole(storage, "a.bin")
        with storage.open("a.bin", "rb") as expected:
            assert (file.read(99), size) == (expected.read(), storage.size("a.bin"))
        file.close()

    def test_so_does_a_single_one(self, tmp_path: Path) -> None:
        storage: Any = FileSystemStorage(tmp_path)
        storage.save("a.bin", ContentFile(DATA))
        storage.open = lambda name, mode: BytesIO(DATA[::-1])
        assert reading.open_whole(storage, "a.bin")[0].read(99) == DATA[::-1]

    def test_a_reader_that_is_registered_is_asked(self, tmp_path: Path) -> None:
        storage = FileSystemStorage(tmp_path)
        storage.save("a.bin", ContentFile(DATA))
        path = "django.core.files.storage.filesystem.FileSystemStorage"
        reading.register(path, lambda storage, name, start, length: BytesIO(b"part"))
        assert reading.open_whole(storage, "a.bin")[0].read(99) == b"part"


class Special(Bucket):
    """A storage that extends another."""


@pytest.mark.parametrize(
    ("storage", "known"),
    [(Bucket(), "bucket"), (Special(), "bucket"), (InMemoryStorage(), None)],
)
def test_what_is_known_of_a_class_holds_for_those_that_extend_it(
    storage: Storage, known: str | None
) -> None:
    registry: StorageRegistry[str] = StorageRegistry()
    registry.register("tests.storages.Bucket", "bucket")
    registry.register("elsewhere.Storage", "not importable")
    assert registry.of(storage) == known


def test_what_is_learnt_later_holds_too() -> None:
    registry: StorageRegistry[str] = StorageRegistry()
    assert registry.of(Special()) is None
    registry.register("tests.storages.Bucket", "bucket")
    assert registry.of(Special()) == "bucket"


def test_what_an_s3_storage_compressed_is_not_asked_for_by_its_parts(stored: Bucket) -> None:
    vars(stored)["gzip"] = True
    reading.register("tests.storages.Bucket", reading._s3)
    assert reading.open_part(stored, "a.bin", 3, 4).read(4) == b"3456"
