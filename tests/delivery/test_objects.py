"""What no server of the tests does: folders as objects, a batch without an answer."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile

from directlinks.core.errors import StorageTimeout
from directlinks.delivery import objects
from directlinks.delivery.objects import (
    Provider,
    StoredObject,
    delete_contents,
    is_opened_by,
    objects_below,
)
from tests.storages import Bucket

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the provider of each storage does."""
    does: dict[str, Any] = {
        "key_of": lambda storage, name: name,
        "listed": lambda storage, prefix: [StoredObject(name, NOON) for name in ("a/", "a/b")],
        "delete": lambda storage, keys: (),
    }

    def made(storage: object) -> Provider:
        return Provider(**does, most=2)

    monkeypatch.setattr(objects, "_provider_of", made)
    monkeypatch.setattr(objects._providers, "of", made)
    monkeypatch.setattr(objects, "_deletes_as_published", lambda storage: True)
    return does


@pytest.mark.usefixtures("provider")
def test_what_stands_for_an_empty_folder_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_root", lambda provider, storage: "")
    assert list(objects_below(Bucket(), "")) == [StoredObject("a/b", NOON)]


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("name", "is_opened"),
    [("a/b", True), ("a//b", False), ("a\\b", False), ("/a", False), ("../a", False)],
)
def test_a_name_that_a_storage_tidies_is_not_opened(
    name: str, is_opened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_root", lambda provider, storage: "")
    assert is_opened_by(Bucket(), name) is is_opened


def test_of_a_batch_without_an_answer_each_name_is_told(provider: dict[str, Any]) -> None:
    def late(storage: object, keys: object) -> Any:
        raise StorageTimeout(cause="late")

    provider["delete"] = late
    told: list[str] = []
    delete_contents(Bucket(), ["a", "b", "c"], lambda name, error: told.append(f"{name} {error}"))
    assert [one[0] for one in told] == ["a", "b", "c"]


def test_the_folders_of_a_hierarchical_account_are_no_objects() -> None:
    blobs = [
        SimpleNamespace(name="a", metadata={"hdi_isfolder": "true"}, last_modified=NOON),
        SimpleNamespace(name="a/b", metadata=None, last_modified=NOON),
    ]
    client = SimpleNamespace(list_blobs=lambda **options: blobs)
    storage = SimpleNamespace(client=client, timeout=20)
    assert list(objects._azure_listed(storage, "")) == [StoredObject("a/b", NOON)]


def test_a_batch_that_is_refused_is_deleted_one_by_one(provider: dict[str, Any]) -> None:
    def refused(storage: object, keys: object) -> Any:
        raise NotImplementedError

    provider["delete"] = refused
    storage = Bucket()
    storage.save("a", ContentFile(b"a"))
    delete_contents(storage, ["a"], lambda name, error: None)
    assert not storage.exists("a")
