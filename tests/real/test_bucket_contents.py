"""What a bucket holds: what is taken over from it, and what is cleared out of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from directlinks.delivery import objects
from directlinks.models import File
from directlinks.services import pruning
from directlinks.services.adding import stored_sources
from tests.factories import FileFactory
from tests.real.faulty_proxy import Fault, Proxy, Request
from tests.real.object_storage import ObjectStorage

TOKENS = [f"{number:032x}" for number in range(100)]
ORPHANS = [f"directlinks/{token}/a b é.txt" for token in TOKENS]
LYING = ["a.txt", "directlinks.txt", "old/a.txt", "old/b/c é.txt", "older.txt"]
IN_TWO_DAYS = datetime.now(UTC) + timedelta(days=2)


def unexpected(name: str, error: Exception) -> None:  # pragma: no cover
    """Fail: no fault is expected."""
    raise AssertionError(name) from error


def filled(storage: Any, names: list[str]) -> Any:
    """``storage`` with these objects and no others."""
    there = [found.name for found in objects.objects_below(storage, "")]
    objects.delete_contents(storage, there, unexpected)
    for name in names:
        storage.save(name, ContentFile(name.encode()))
    return storage


@pytest.mark.parametrize("location", ["", "below/here"])
def test_what_is_taken_over_is_what_the_bucket_lists(
    storage_and_proxy: tuple[ObjectStorage, Proxy], location: str
) -> None:
    storage = filled(storage_and_proxy[0].storage(location=location), [*LYING, *ORPHANS[:2]])
    table: dict[str, list[str]] = {
        ".": LYING,
        "": LYING,
        "/": LYING,
        "old": ["old/a.txt", "old/b/c é.txt"],
        "/old/": ["old/a.txt", "old/b/c é.txt"],
        "old/b": ["old/b/c é.txt"],
        "old/a.txt": ["old/a.txt"],
        "a.txt": ["a.txt"],
    }
    for asked, names in table.items():
        sources = list(stored_sources(storage, asked, "new"))
        assert [source.place for source in sources] == names, asked
        assert [source.path for source in sources] == [f"new/{name}" for name in names], asked
    for refused in ("directlinks", f"directlinks/{TOKENS[0]}", ORPHANS[0]):
        with pytest.raises(ValidationError, match="already belong to files"):
            list(stored_sources(storage, refused))
    for missing in ("ol", "old/b/c", "nowhere"):
        with pytest.raises(FileNotFoundError):
            list(stored_sources(storage, missing))


@pytest.mark.django_db
def test_a_hundred_contents_without_a_file_cost_one_list_and_one_delete_call(
    storage_and_proxy: tuple[ObjectStorage, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = storage_and_proxy
    storage = filled(server.storage(location="below/here"), [*LYING, *ORPHANS])
    monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
    live, trashed = (FileFactory(data=b"kept") for _ in range(2))
    trashed.trash()
    assert list(pruning.contents_without_file(storage, datetime.now(UTC), unexpected)) == []
    with proxy.counting() as listing:
        found = list(pruning.contents_without_file(storage, IN_TWO_DAYS, unexpected))
    with proxy.counting() as deleting:
        pruning.remove_contents(storage, found, unexpected)
    assert found == ORPHANS
    assert ([one.method for one in listing], [one.method for one in deleting]) == (
        ["GET"],
        ["POST"],
    )
    left = {found.name for found in objects.objects_below(storage, "")}
    assert left == {*LYING, str(live.content), str(trashed.content)}


NAMES = ORPHANS[:3]


def refusing(*what: str) -> Any:
    """A judge that refuses the requests whose method and target have one of these."""

    def judge(asked: Request) -> Fault | None:
        line = f"{asked.method} {asked.target}"
        refused = any(line.startswith("POST") if one == "batch" else one in line for one in what)
        return Fault(status=403, body=b"no") if refused else None

    return judge


@pytest.mark.parametrize(
    ("refused", "left"),
    [(("batch",), []), (("batch", TOKENS[1]), NAMES[1:2]), (("batch", "DELETE"), NAMES)],
)
def test_what_is_refused_together_is_deleted_one_by_one(
    storage_and_proxy: tuple[ObjectStorage, Proxy], refused: tuple[str, ...], left: list[str]
) -> None:
    server, proxy = storage_and_proxy
    storage = filled(server.storage(), NAMES)
    told: list[str] = []
    proxy.judge = refusing(*refused)
    try:
        objects.delete_contents(storage, NAMES, lambda name, error: told.append(name))
    finally:
        proxy.judge = lambda asked: None
    assert told == left
    assert [found.name for found in objects.objects_below(storage, "")] == left
