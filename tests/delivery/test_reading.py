"""Part of a content, from wherever it is."""

import errno
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from datetime import UTC, datetime
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from directlinks.core.errors import LinkNotFound, StorageTimeout
from directlinks.datetimes import as_stored
from directlinks.delivery import reading
from directlinks.delivery.reading import Part, stored_encoding
from directlinks.storage import StorageRegistry
from tests.storages import Bucket, as_another_user, no_more_files

DATA = b"0123456789"


@pytest.fixture(autouse=True)
def _readers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_ways", StorageRegistry())


@pytest.fixture
def stored() -> Bucket:
    storage = Bucket()
    storage.save("a.bin", ContentFile(DATA))
    return storage


def content_of(storage: Storage, name: str) -> bytes:
    """Everything that is read of a content."""
    content = reading.open_content(storage, name)
    part = content.part(0, content.size)
    try:
        return part.read(99)
    finally:
        part.close()


PARTS = pytest.mark.parametrize(
    ("start", "length", "part"), [(0, 10, DATA), (3, 4, b"3456"), (9, 1, b"9"), (0, 0, b"")]
)


@PARTS
def test_a_storage_that_opens_files_is_read_from_there_on(
    start: int, length: int, part: bytes, stored: Bucket
) -> None:
    content = reading.open_content(stored, "a.bin")
    opened = content.part(start, length)
    assert (content.size, content.modified_ns) == (10, None)
    assert opened.read(length) == part
    opened.close()
    content.close()


@PARTS
def test_a_file_of_this_machine_is_read_from_there_on(
    start: int, length: int, part: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    content = reading.open_content(FileSystemStorage(tmp_path), "a.bin")
    opened = content.part(start, length)
    written = (tmp_path / "a.bin").stat().st_mtime_ns
    assert (content.size, content.modified_ns) == (10, written)
    assert opened.read(length) == part
    content.close()
    assert isinstance(opened, FileIO)
    assert opened.closed


def test_a_content_that_is_gone_is_told(stored: Bucket) -> None:
    with pytest.raises(LinkNotFound):
        reading.open_content(stored, "b.bin")
    content = reading.open_content(stored, "a.bin")
    stored.delete("a.bin")
    with pytest.raises(LinkNotFound):
        content.part(0, 1)


def test_a_site_registers_how_its_own_storage_is_read(
    stored: Bucket,
) -> None:
    asked: list[Any] = []

    def reader(storage: Any, name: str, start: int, length: int) -> BytesIO:
        asked.append((storage, name, start, length))
        return BytesIO(b"part")

    reading.register("tests.storages.Bucket", reader)
    assert reading.open_content(stored, "a.bin").part(3, 4).read(9) == b"part"
    assert asked == [(stored, "a.bin", 3, 4)]


class TestAFileOfThisMachine:
    @pytest.mark.parametrize("name", ["a.bin", "b/新 a.bin", "b/../a.bin", "./a.bin", "b//c.bin"])
    def test_it_is_the_one_that_its_storage_opens(self, name: str, tmp_path: Path) -> None:
        storage = FileSystemStorage(tmp_path)
        for other in ("a.bin", "b/新 a.bin", "b/c.bin"):
            storage.save(other, ContentFile(other.encode()))
        with storage.open(name) as expected:
            assert content_of(storage, name) == expected.read()

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
        content = reading.open_content(storage, "a.bin")
        with storage.open("a.bin", "rb") as expected:
            assert content_of(storage, "a.bin") == expected.read(content.size)
        assert content.size == storage.size("a.bin")
        assert content.modified_ns == Path(storage.path("a.bin")).stat().st_mtime_ns

    def test_an_instance_with_its_own_open_is_read_by_it(self, tmp_path: Path) -> None:
        storage: Any = FileSystemStorage(tmp_path)
        storage.save("a.bin", ContentFile(DATA))
        storage.open = lambda name, mode: BytesIO(DATA[::-1])
        assert content_of(storage, "a.bin") == DATA[::-1]

    def test_a_reader_that_is_registered_is_asked(self, tmp_path: Path) -> None:
        storage = FileSystemStorage(tmp_path)
        storage.save("a.bin", ContentFile(DATA))
        path = "django.core.files.storage.filesystem.FileSystemStorage"
        reading.register(path, lambda storage, name, start, length: BytesIO(b"part"))
        assert content_of(storage, "a.bin") == b"part"


class OwnStorage(FileSystemStorage):
    """A storage with a way of its own to open files."""

    def _open(self, name: str, mode: str = "rb") -> Any:
        return Path(self.path(name)).open(mode)  # pragma: no cover


def socket_at(path: Path) -> None:
    # The address of a socket must be short, which the path of a test's folder need not be.
    with socket.socket(socket.AF_UNIX) as server, chdir(path.parent):
        server.bind(path.name)


# What may lie under a stored name and is no file, and the error that says so.
SPECIAL: dict[str, tuple[Callable[[Path], Any], int]] = {
    "missing": (lambda path: None, errno.ENOENT),
    "named pipe": (os.mkfifo, errno.ENXIO),
    "socket": (socket_at, errno.ENXIO),
    "folder": (Path.mkdir, errno.ENXIO),
    "link to itself": (lambda path: path.symlink_to(path), errno.ELOOP),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), errno.ENXIO),
}


@pytest.mark.parametrize("storage_class", [FileSystemStorage, OwnStorage])
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_regular_file_is_refused_at_once(
    storage_class: type[FileSystemStorage], kind: str, tmp_path: Path
) -> None:
    make, number = SPECIAL[kind]
    make(tmp_path / "s")
    storage = storage_class(tmp_path)
    with ThreadPoolExecutor(1) as threads:
        opening = threads.submit(content_of, storage, "s")
        try:
            with pytest.raises(LinkNotFound) as refused:
                opening.result(timeout=20)
        finally:
            if kind == "named pipe":  # let go a thread that waits for it
                os.close(os.open(tmp_path / "s", os.O_RDWR))
    assert isinstance(refused.value.__cause__, OSError)
    assert refused.value.__cause__.errno == number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("a.bin/below", errno.ENOTDIR),
        ("x" * 256, errno.ENAMETOOLONG),
        ("", errno.ENXIO),
        ("a.bin\0", errno.ENOENT),
        ("../a.bin", None),
        ("/etc/passwd", None),
    ],
)
def test_a_name_that_leads_nowhere_or_out_is_refused(
    name: str, number: int | None, tmp_path: Path
) -> None:
    storage = FileSystemStorage(tmp_path / "media")
    storage.save("a.bin", ContentFile(DATA))
    (tmp_path / "a.bin").write_bytes(b"not of this storage")
    with pytest.raises(LinkNotFound) as refused:
        reading.open_content(storage, name)
    cause = refused.value.__cause__
    assert isinstance(cause, SuspiciousFileOperation) or getattr(cause, "errno", 0) == number


@pytest.mark.parametrize("storage_class", [FileSystemStorage, OwnStorage])
def test_a_file_that_the_site_may_not_read_is_refused(
    storage_class: type[FileSystemStorage], tmp_path: Path
) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    (tmp_path / "a.bin").chmod(0)
    with as_another_user(), pytest.raises(LinkNotFound) as refused:
        reading.open_content(storage_class(tmp_path), "a.bin")
    assert isinstance(refused.value.__cause__, PermissionError)


def test_a_fault_of_the_machine_is_no_missing_content(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    storage = FileSystemStorage(tmp_path)
    with no_more_files(), pytest.raises(OSError, match="Too many open files") as fault:
        reading.open_content(storage, "a.bin")
    assert fault.value.errno == errno.EMFILE


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


@pytest.mark.parametrize(
    ("name", "given", "encoding"),
    [
        ("a.css", None, None),
        ("a.css", "", None),
        ("a.css", "identity", None),
        ("a.css", "aws-chunked", None),
        ("a.css", "gzip", "gzip"),
        ("a.css", "AWS-chunked, gzip", "gzip"),
        ("a.css", "gzip,br", "gzip, br"),
        ("a.css.gz", "gzip", None),
    ],
)
def test_a_part_has_the_encoding_that_it_was_stored_with(
    name: str, given: str | None, encoding: str | None
) -> None:
    assert stored_encoding(Part(BytesIO(), 0, content_encoding=given), name) == encoding


def test_a_part_of_a_file_has_none() -> None:
    assert stored_encoding(BytesIO(), "a.css") is None


def test_a_storage_that_fails_at_the_first_byte_is_told_before_the_answer() -> None:
    class Late(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise TimeoutError

    opened = Late(DATA)
    reading.register("tests.storages.Bucket", lambda *asked: opened)
    storage = Bucket()
    storage.save("a.bin", ContentFile(DATA))
    content = reading.open_content(storage, "a.bin")
    with pytest.raises(StorageTimeout):
        content.part(0, content.size)
    assert opened.closed


def test_an_object_that_was_empty_and_is_not_any_more_is_another() -> None:
    storage = Bucket()
    name = storage.save("a.bin", ContentFile(b"12345"))
    known = reading.Known(0, as_stored(datetime(2026, 5, 4, tzinfo=UTC)))
    content = reading._KnownContent(storage, name, known, lambda *args: BytesIO())
    with pytest.raises(reading.ContentChanged) as caught:
        content.part(0, 0)
    assert (caught.value.size, caught.value.stored_at) == (5, None)
