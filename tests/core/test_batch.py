"""The result of an operation on many URIs."""

import pytest

from directlinks.core.batch import Batch
from directlinks.core.errors import (
    DirectLinksError,
    EntityNotExist,
    PathNotExist,
    UnknownFileSystem,
)


def test_a_new_batch_is_complete_and_has_nothing_to_say() -> None:
    batch: Batch[str] = Batch()
    assert (batch.items, batch.errors) == ([], {})
    assert batch.is_complete is True
    assert batch.summary == ""


def test_two_batches_share_nothing() -> None:
    one: Batch[str] = Batch()
    other: Batch[str] = Batch()
    one.items.append("an item")
    one.errors["a URI"] = EntityNotExist()
    assert (other.items, other.errors) == ([], {})


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (
            PathNotExist(element="archive.zip"),
            (
                'failed to get target file: failed to walk into "archive.zip": '
                "Path not exist: ent: file not found"
            ),
        ),
        (UnknownFileSystem("foo"), 'unknown file system "foo"'),
        (EntityNotExist(), "Entity not exist"),
    ],
)
def test_a_single_error_is_told_in_full(error: DirectLinksError, summary: str) -> None:
    batch = Batch(["a link"], {"cloudreve://my/x": error})
    assert batch.is_complete is False
    assert batch.summary == summary


def test_several_errors_are_told_in_one_sentence() -> None:
    batch: Batch[str] = Batch(errors={"a": EntityNotExist(), "b": EntityNotExist()})
    assert batch.is_complete is False
    assert batch.summary == "One or more operation failed"


def test_a_batch_maps_its_items_in_order_and_keeps_its_errors() -> None:
    errors: dict[str, DirectLinksError] = {"a": EntityNotExist()}
    assert Batch([3, 1, 3], errors).map(str) == Batch(["3", "1", "3"], errors)
