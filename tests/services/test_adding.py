"""Getting files in, from this machine and from what a storage holds already."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage

from directlinks.delivery.objects import StoredObject
from directlinks.models import File
from directlinks.services import adding
from directlinks.services.adding import (
    Outcome,
    Source,
    add_file,
    local_sources,
    stored_sources,
)
from directlinks.storage import content_storage
from tests.factories import FileFactory, UserFactory
from tests.storages import Bucket


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files in it and below it, and with what is no file."""
    tree = tmp_path / "tree"
    (tree / "b" / "empty").mkdir(parents=True)
    for name in ("a.txt", "b/a.txt", "b/c d.txt", "c.txt"):
        (tree / name).write_text(name)
    (tree / "linked.txt").symlink_to(tree / "a.txt")
    (tree / "around").symlink_to(tree, target_is_directory=True)
    (tree / "broken").symlink_to(tree / "nowhere")
    os.mkfifo(tree / "pipe")
    return tree


class TestLocalSources:
    def test_a_folder_brings_its_files_below_its_own_name(self, tree: Path) -> None:
        sources = list(local_sources(tree))
        assert [source.path for source in sources] == [
            "tree/a.txt",
            "tree/b/a.txt",
            "tree/b/c d.txt",
            "tree/c.txt",
        ]
        assert sources[2].place == str(tree / "b/c d.txt")

    def test_a_file_is_its_only_source(self, tree: Path) -> None:
        place = tree / "a.txt"
        assert list(local_sources(place)) == [Source(str(place), "a.txt")]

    @pytest.mark.parametrize("into", ["x/y", "/x/y/"])
    def test_either_may_go_into_a_folder(self, tree: Path, into: str) -> None:
        assert [source.path for source in local_sources(tree / "a.txt", into)] == ["x/y/a.txt"]
        assert next(local_sources(tree, into)).path == "x/y/tree/a.txt"

    def test_the_working_directory_has_a_name_too(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree)
        assert next(local_sources(Path())).path == "tree/a.txt"

    def test_what_is_not_there_is_an_error(self, tree: Path) -> None:
        with pytest.raises(FileNotFoundError):
            list(local_sources(tree / "nowhere"))


@pytest.fixture(params=["disk", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A storage with two files in a folder, and one beside it."""
    storage = FileSystemStorage(tmp_path) if request.param == "disk" else Bucket()
    for name in ("old/b/c.txt", "old/a.txt", "beside.txt"):
        storage.save(name, ContentFile(name.encode()))
    return storage


class TestStoredSources:
    @pytest.mark.parametrize("name", ["old", "/old/"])
    def test_a_folder_brings_its_files_under_their_names(self, storage: Storage, name: str) -> None:
        assert list(stored_sources(storage, name)) == [
            Source("old/a.txt", "old/a.txt"),
            Source("old/b/c.txt", "old/b/c.txt"),
        ]

    @pytest.mark.parametrize("name", ["", "/"])
    def test_nothing_is_the_name_of_all(self, storage: Storage, name: str) -> None:
        places = [source.place for source in stored_sources(storage, name)]
        assert places == ["beside.txt", "old/a.txt", "old/b/c.txt"]

    def test_a_file_is_its_only_source(self, storage: Storage) -> None:
        source = Source("old/a.txt", "new/old/a.txt")
        assert list(stored_sources(storage, "old/a.txt", "new")) == [source]

    def test_a_folder_may_go_into_another(self, storage: Storage) -> None:
        paths = [source.path for source in stored_sources(storage, "old", "/new/")]
        assert paths == ["new/old/a.txt", "new/old/b/c.txt"]

    def test_what_is_not_there_is_an_error(self, storage: Storage) -> None:
        with pytest.raises(FileNotFoundError):
            list(stored_sources(storage, "nowhere"))

    @pytest.mark.parametrize("name", ["directlinks", "/directlinks/", "old/../directlinks/aa/b"])
    def test_nothing_of_our_own_is_taken(self, storage: Storage, name: str) -> None:
        storage.save("directlinks/aa/b", ContentFile(b"of a file"))
        with pytest.raises(ValidationError, match="already belong to files"):
            list(stored_sources(storage, name))
        assert "directlinks/aa/b" not in {source.place for source in stored_sources(storage, ".")}

    def test_nothing_outside_of_the_storage_is_taken(self, tmp_path: Path) -> None:
        with pytest.raises(SuspiciousFileOperation):
            list(stored_sources(FileSystemStorage(tmp_path / "inside"), "../outside"))


@pytest.mark.django_db
class TestAddFile:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        place = tmp_path / "local name.bin"
        place.write_bytes(b"local")
        return Source(str(place), "folder/a.txt")

    def test_a_local_file_is_copied(self, source: Source) -> None:
        owner = UserFactory()
        assert add_file(owner=owner, source=source, adopt=False, replace=False) is Outcome.ADDED
        file = File.objects.at([(owner.pk, "folder/a.txt")]).get()
        assert (file.size, file.content_type) == (5, "text/plain; charset=utf-8")
        assert Path(file.content.path).read_bytes() == Path(source.place).read_bytes() == b"local"

    def test_a_stored_content_stays_where_it_is(self) -> None:
        name = content_storage().save("old/a.txt", ContentFile(b"stored"))
        owner = UserFactory()
        source = Source(name, "a.txt")
        assert add_file(owner=owner, source=source, adopt=True, replace=False) is Outcome.ADDED
        assert (File.objects.get().content.name, File.objects.get().size) == ("old/a.txt", 6)

    @pytest.mark.parametrize(
        ("name", "data", "content_type"),
        [
            ("a.txt", b"stored", "text/plain; charset=utf-8"),
            ("a.txt", b"caf\xe9", "text/plain"),
            ("a.txt", b"", "text/plain; charset=utf-8"),
            ("a.png", b"stored", "image/png"),
        ],
    )
    def test_the_beginning_of_a_text_in_a_bucket_tells_its_charset(
        self, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, content_type: str
    ) -> None:
        bucket = Bucket()
        monkeypatch.setattr(File._meta.get_field("content"), "storage", bucket)
        bucket.save(name, ContentFile(data))
        source = Source(name, name)
        add_file(owner=UserFactory(), source=source, adopt=True, replace=False)
        assert File.objects.get().content_type == content_type

    def test_what_is_there_already_stays(self, source: Source) -> None:
        file = FileFactory(path=source.path, data=b"mine")
        outcome = add_file(owner=file.owner, source=source, adopt=False, replace=False)
        assert outcome is Outcome.KEPT
        assert File.objects.get().version == file.version

    def test_it_is_replaced_if_that_is_asked_for(self, source: Source) -> None:
        file = FileFactory(path=source.path, data=b"mine and longer")
        outcome = add_file(owner=file.owner, source=source, adopt=False, replace=True)
        assert outcome is Outcome.REPLACED
        fresh = File.objects.get()
        assert (fresh.pk, fresh.size) == (file.pk, 5)
        assert fresh.version != file.version

    def test_a_file_in_the_trash_is_not_there(self, source: Source) -> None:
        file = FileFactory(path=source.path)
        file.trash()
        outcome = add_file(owner=file.owner, source=source, adopt=False, replace=False)
        assert outcome is Outcome.ADDED

    @pytest.mark.parametrize(
        ("exists", "replace", "outcome"),
        [
            (False, False, Outcome.ADDED),
            (True, False, Outcome.KEPT),
            (True, True, Outcome.REPLACED),
        ],
    )
    @pytest.mark.parametrize("adopt", [False, True])
    def test_a_dry_run_says_the_same_and_does_nothing(
        self, source: Source, adopt: bool, exists: bool, replace: bool, outcome: Outcome
    ) -> None:
        owner = FileFactory(path=source.path if exists else "elsewhere").owner
        before = list(File.objects.values())
        said = add_file(owner=owner, source=source, adopt=adopt, replace=replace, dry_run=True)
        assert said is outcome
        assert list(File.objects.values()) == before

    @pytest.mark.parametrize("path", ["", "a//b", "a\udcffb"])
    def test_a_path_against_the_rules_is_refused_in_a_dry_run_too(self, path: str) -> None:
        source, owner = Source("anywhere", path), UserFactory()
        with pytest.raises(ValidationError):
            add_file(owner=owner, source=source, adopt=False, replace=False, dry_run=True)

    @pytest.mark.parametrize(("adopt", "error"), [(True, ValidationError), (False, OSError)])
    def test_bytes_that_vanished_leave_no_row(self, adopt: bool, error: type[Exception]) -> None:
        source, owner = Source("nowhere/a.txt", "a.txt"), UserFactory()
        with pytest.raises(error):
            add_file(owner=owner, source=source, adopt=adopt, replace=False)
        assert not File.objects.exists()


@pytest.mark.django_db
def test_the_whole_storage_is_adopted_without_what_is_known_already() -> None:
    FileFactory()
    storage = content_storage()
    storage.save("old/a.txt", ContentFile(b"a"))
    storage.save("b.txt", ContentFile(b"b"))
    assert [source.path for source in stored_sources(storage, ".")] == ["b.txt", "old/a.txt"]


def test_an_object_whose_name_is_no_path_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [StoredObject(name, datetime(2026, 5, 4, tzinfo=UTC)) for name in ("a//b", "a/b")]
    monkeypatch.setattr(adding, "objects_below", lambda storage, folder: found)
    monkeypatch.setattr(adding, "is_opened_by", lambda storage, name: "//" not in name)
    left_out: list[str] = []
    sources = adding._listed_below(Bucket(), "", "", lambda name, why: left_out.append(name))
    assert [source.path for source in sources] == ["a/b"]
    assert left_out == ["a//b"]
