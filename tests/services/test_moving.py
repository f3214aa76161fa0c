"""Moving contents: each link gives the same bytes, at each moment and after each fault."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.delivery.reading import open_content
from directlinks.models import File, UnusedContent
from directlinks.services import moving
from directlinks.services.moving import Move, NotDeleted, NotMoved, Outcome, move_content
from directlinks.services.pruning import UPLOADING
from tests.factories import FileFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

DATA = b"some bytes"  # of every file of the factory
LATER = timedelta(days=2)


class Killed(BaseException):
    """A process that ends here and now."""


def die(*args: object) -> None:
    raise Killed


class Scripted(Storage):
    """Calls what ``before`` and ``after`` have under the name of a method."""

    before: ClassVar[dict[str, Callable[..., Any]]] = {}
    after: ClassVar[dict[str, Callable[..., Any]]] = {}

    def _open(self, name: str, mode: str = "rb") -> Any:
        self._note("before", "open", name)
        return super()._open(name, mode)  # type: ignore[misc]

    def _save(self, name: str, content: Any) -> str:
        self._note("before", "save", name)
        saved: str = super()._save(name, content)  # type: ignore[misc]
        self._note("after", "save", saved)
        return saved

    def delete(self, name: str) -> None:
        self._note("before", "delete", name)
        super().delete(name)
        self._note("after", "delete", name)

    def _note(self, when: str, method: str, name: str) -> None:
        self.__getattribute__(when).get(method, lambda *args: None)(self, name)


class Far(Scripted, Bucket):
    pass


class Disk(Scripted, FileSystemStorage):
    pass


class Renaming(Bucket):
    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return f"{name}.1"


def stored_in(storage: Any, folder: str = "") -> list[str]:
    """The names of all that ``storage`` holds in ``folder``, which ends with a slash, if any."""
    folders, files = storage.listdir(folder)
    below = [name for one in folders for name in stored_in(storage, f"{folder}{one}/")]
    return [*(f"{folder}{name}" for name in files), *below]


def read(file: File) -> bytes:
    """What a visitor of ``file`` gets now."""
    row = File.objects.get(pk=file.pk)
    content = open_content(row.content.storage, str(row.content))
    with closing(content.part(0, content.size)) as part:
        return b"".join(iter(lambda: part.read(content.size), b""))


def half(storage: Any, name: str) -> None:
    """Store a part of what is being stored as ``name``, and die."""
    below: Any = super(Scripted, storage)
    below._save(name, ContentFile(b"some"))
    raise Killed


def tear(storage: Any, name: str) -> None:
    below: Any = super(Scripted, storage)
    below.delete(name)
    below._save(name, ContentFile(b"somE bytes"))


@pytest.fixture(autouse=True)
def _storages(settings: Settings, tmp_path: Path) -> Iterator[None]:
    here = f"{__name__}."
    disk = {"BACKEND": f"{here}Disk", "OPTIONS": {"location": str(tmp_path / "disk")}}
    settings.STORAGES = {
        **settings.STORAGES,
        "far": {"BACKEND": f"{here}Far"},
        "farther": {"BACKEND": f"{here}Far"},
        "disk": disk,
        "same disk": disk,
        "renaming": {"BACKEND": f"{here}Renaming"},
    }
    yield
    Scripted.before.clear()
    Scripted.after.clear()


def pruned(now: datetime) -> list[str]:
    """Delete what may be deleted at ``now``, and say what that was."""
    found = list(moving.unused_contents(now))
    for unused in found:
        moving.delete_unused(unused)
    return [unused.name for unused in found]


@pytest.mark.parametrize("size", [0, 10, 3 * 1024 * 1024])
@pytest.mark.parametrize("way", [("default", "far", "farther"), ("default", "disk", "far", "disk")])
def test_a_content_goes_from_storage_to_storage(way: tuple[str, ...], size: int) -> None:
    data = os.urandom(size)
    file = FileFactory(data=data)
    for source, target in pairwise(way):
        before = File.objects.get(pk=file.pk)
        assert move_content(before, Move(source, target)) is Outcome.MOVED
        after = File.objects.get(pk=file.pk)
        assert (after.storage_alias, after.size, read(file)) == (target, size, data)
        assert str(after.content) in stored_in(storages[target])
        assert before.content.storage.exists(str(before.content))  # visitors may be reading it
    assert len(pruned(timezone.now() + LATER)) == len(way) - 1
    left = [name for alias in {*way} for name in stored_in(storages[alias])]
    assert left == [str(File.objects.get(pk=file.pk).content)]
    assert (UnusedContent.objects.count(), read(file)) == (0, data)


def test_former_contents_stay_until_nothing_leads_to_them(settings: Settings) -> None:
    settings.DIRECTLINKS = {"TARGET_SECONDS": 1000, "CACHE_SECONDS": 100}
    file = FileFactory()
    move_content(file, Move("default", "far"))
    now = timezone.now()
    assert list(moving.unused_contents(now + timedelta(seconds=1100))) == []
    assert moving.waiting(now) == 1
    (unused,) = moving.unused_contents(now + timedelta(seconds=1100) + moving.MARGIN)
    assert unused.name == str(file.content)


@pytest.mark.parametrize(
    ("local", "version_stays"), [(False, True), (True, False)], ids=["bucket", "disk"]
)
def test_validators_stay_unless_a_file_could_be_rewritten(
    *, local: bool, version_stays: bool
) -> None:
    file = FileFactory()
    move_content(file, Move("default", "far"))
    source = "disk" if local else "farther"
    move_content(File.objects.get(pk=file.pk), Move("far", source))
    before = File.objects.get(pk=file.pk)
    move_content(before, Move(source, "far"))
    after = File.objects.get(pk=file.pk)
    assert (after.version == before.version) is version_stays
    assert (after.content_updated_at == before.content_updated_at) is version_stays


KILLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "before the copy": ("far", {"save": die}, {}),
    "within the copy": ("far", {"save": half}, {}),
    "after the copy": ("far", {}, {"save": die}),
    "reading the copy back": ("far", {"open": die}, {}),
    "within a copy to a disk": ("disk", {"save": half}, {}),
    "after a copy to a disk": ("disk", {}, {"save": die}),
}


@pytest.mark.parametrize(("target", "before", "after"), KILLS.values(), ids=KILLS)
def test_after_a_kill_all_is_as_it_was_and_the_next_run_moves(
    target: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    file = FileFactory()
    Scripted.before.update(before)
    Scripted.after.update(after)
    with pytest.raises(Killed):
        move_content(file, Move("default", target))
    assert File.objects.values().get(pk=file.pk)["storage_alias"] == "default"
    assert read(file) == DATA
    Scripted.before.clear()
    Scripted.after.clear()
    assert move_content(File.objects.get(pk=file.pk), Move("default", target)) is Outcome.MOVED
    pruned(timezone.now() + LATER)
    (left,) = stored_in(storages[target])
    assert (left, read(file)) == (str(File.objects.get(pk=file.pk).content), DATA)
    assert stored_in(storages["default"]) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_deletion_that_was_killed_is_done_again(when: str) -> None:
    file = FileFactory()
    move_content(file, Move("default", "far"))
    move_content(File.objects.get(pk=file.pk), Move("far", "farther"))
    getattr(Scripted, when)["delete"] = die
    with pytest.raises(Killed):
        pruned(timezone.now() + LATER)
    getattr(Scripted, when).clear()
    pruned(timezone.now() + LATER)
    assert (stored_in(storages["far"]), read(file)) == ([], DATA)


def refuse(storage: Any, name: str) -> None:
    raise ConnectionError("No route to the bucket")


def lose(storage: Any, name: str) -> None:
    storage.delete(name)


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "refused": ({"save": refuse}, {}, "The storage cannot be reached"),
    "unreadable": ({"open": refuse}, {}, "The storage cannot be reached"),
    "other bytes": ({}, {"save": tear}, "The copy is not the same as the content."),
    "gone": ({}, {"save": lose}, "The storage has no such content"),
}


@pytest.mark.parametrize(("before", "after", "told"), FAULTS.values(), ids=FAULTS)
def test_a_copy_that_is_not_the_same_is_never_pointed_to(
    before: dict[str, Any], after: dict[str, Any], told: str
) -> None:
    file = FileFactory()
    Scripted.before.update(before)
    Scripted.after.update(after)
    with pytest.raises(NotMoved, match=told):
        move_content(file, Move("default", "far"))
    assert (read(file), stored_in(storages["far"])) == (DATA, [])
    assert UnusedContent.objects.count() == 0


def test_a_copy_that_cannot_be_discarded_is_deleted_later() -> None:
    Scripted.after["save"] = tear
    Scripted.before["delete"] = refuse
    with pytest.raises(NotMoved):
        move_content(FileFactory(), Move("default", "far"))
    with pytest.raises(NotDeleted, match="The storage cannot be reached"):
        pruned(timezone.now() + LATER)
    Scripted.before.clear()
    assert len(pruned(timezone.now() + LATER)) == 1
    assert stored_in(storages["far"]) == []


@pytest.mark.parametrize(
    ("size", "told"),
    [(None, "The storage has no such content"), (11, "It ended before its announced length.")],
)
def test_a_content_that_cannot_be_read_stays(size: int | None, told: str) -> None:
    file = FileFactory()
    move_content(file, Move("default", "far"))
    file.refresh_from_db()
    far: Any = storages["far"]
    if size is None:
        far.delete(str(file.content))
    else:
        far.size = lambda name: size  # a bucket that promises more than it has
    with pytest.raises(NotMoved, match=told):
        move_content(file, Move("far", "disk"))
    assert "disk" not in File.objects.values_list("storage_alias", flat=True)
    assert UnusedContent.objects.filter(storage_alias="disk").count() == 0


class Encoded(BytesIO):
    content_encoding = "gzip"


def test_a_content_in_an_encoding_stays() -> None:
    file = FileFactory()
    move_content(file, Move("default", "far"))
    file.refresh_from_db()
    far: Any = storages["far"]
    far.open = lambda name, mode: Encoded(DATA)
    with pytest.raises(NotMoved, match="stored with the encoding gzip"):
        move_content(file, Move("far", "farther"))
    assert stored_in(storages["farther"]) == []


def test_a_file_that_is_written_to_meanwhile_stays() -> None:
    file = FileFactory()
    path = Path(file.content.path)

    def write(storage: Any, name: str) -> None:
        path.write_bytes(b"more bytes")
        os.utime(path, (1, 1))

    Scripted.after["save"] = write
    with pytest.raises(NotMoved, match="written to while it was copied"):
        move_content(file, Move("default", "far"))
    Scripted.after.clear()
    assert move_content(file, Move("default", "far")) is Outcome.MOVED
    assert read(file) == b"more bytes"


def replace(file: File) -> None:
    file.content = ContentFile(b"others", name="x")
    file.save()


CHANGES: dict[str, Callable[[File], object]] = {
    "replaced": replace,
    "moved": lambda file: move_content(file, Move("default", "farther")),
    "deleted": lambda file: file.delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changed_meanwhile_is_left_alone(change: Callable[[File], object]) -> None:
    file = FileFactory()

    def change_it(storage: Any, name: str) -> None:
        Scripted.after.clear()
        change(File.objects.get(pk=file.pk))

    Scripted.after["save"] = change_it
    rows = File.objects.filter(pk=file.pk)
    assert move_content(file, Move("default", "far")) is Outcome.CHANGED
    assert stored_in(storages["far"]) == []
    assert "far" not in rows.values_list("storage_alias", flat=True)


def test_a_content_that_vanished_with_its_file_is_no_fault() -> None:
    file = FileFactory()
    replace(File.objects.get(pk=file.pk))
    storages["default"].delete(str(file.content))
    assert move_content(file, Move("default", "far")) is Outcome.CHANGED


def test_a_copy_that_took_a_day_is_not_pointed_to() -> None:
    """Another run may be about to delete it."""
    file = FileFactory()
    times = iter([timezone.now(), timezone.now() + UPLOADING])
    move = Move("default", "far", clock=lambda: next(times))
    assert move_content(file, move) is Outcome.CHANGED
    assert (read(file), stored_in(storages["far"])) == (DATA, [])


@pytest.mark.parametrize(
    ("own", "options", "deleted"),
    [
        (True, {}, True),
        (True, {"delete": False}, False),
        (False, {}, False),
        (False, {"delete_adopted": True}, True),
        (False, {"delete_adopted": True, "delete": False}, False),
    ],
)
def test_only_what_is_ours_is_deleted_unless_it_is_said(
    *, own: bool, options: dict[str, Any], deleted: bool
) -> None:
    file = FileFactory()
    if not own:
        file.content = storages["default"].save("invoices/1.pdf", ContentFile(DATA))
        file.save()
    former = str(file.content)
    move_content(file, Move("default", "far", **options))
    pruned(timezone.now() + LATER)
    assert storages["default"].exists(former) is not deleted
    assert storages["default"].exists("invoices") is not own  # an empty folder of the site stays
    assert read(file) == DATA


def test_the_same_storage_by_another_name_is_only_noted() -> None:
    file = FileFactory()
    move_content(file, Move("default", "disk"))
    before = File.objects.get(pk=file.pk)
    assert move_content(before, Move("disk", "same disk")) is Outcome.MOVED
    after = File.objects.get(pk=file.pk)
    assert (after.content, after.storage_alias) == (before.content, "same disk")
    assert move_content(before, Move("disk", "same disk")) is Outcome.CHANGED
    pruned(timezone.now() + LATER)
    assert read(file) == DATA


@pytest.mark.parametrize("shared", [False, True])
def test_a_former_content_that_a_file_names_stays(*, shared: bool) -> None:
    file = FileFactory()
    stale = File.objects.get(pk=file.pk)
    other = FileFactory(content=str(file.content)) if shared else stale
    move_content(file, Move("default", "far"))
    if not shared:
        stale.save()  # with all that was read before the move
    later = timezone.now() + LATER
    assert list(moving.unused_contents(later, dry_run=True)) == []
    assert UnusedContent.objects.count() == 1
    assert pruned(later) == []
    assert (read(other), UnusedContent.objects.count()) == (DATA, 0)


def test_a_storage_that_gives_other_names_is_believed() -> None:
    file = FileFactory()
    move_content(file, Move("default", "renaming"))
    row = File.objects.get(pk=file.pk)
    assert str(row.content).endswith(".1")
    assert (read(file), stored_in(storages["renaming"])) == (DATA, [str(row.content)])


def test_files_in_the_trash_are_moved_and_those_without_content_are_not() -> None:
    trashed, empty = FileFactory(), FileFactory()
    trashed.trash()
    File.objects.filter(pk=empty.pk).update(content="")
    assert list(moving.files_in("default")) == [trashed]


def test_a_content_whose_storage_is_gone_is_not_deleted() -> None:
    unused = UnusedContent(storage_alias="gone", name="x")
    with pytest.raises(NotDeleted, match="gone"):
        moving.delete_unused(unused)
