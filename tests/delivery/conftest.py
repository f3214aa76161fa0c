"""Storages on another machine, in the place of the site's own."""

from copy import deepcopy

import pytest

from directlinks.delivery import presigning
from directlinks.models import File
from tests.delivery.buckets import SigningBucket, place_and_key, sign
from tests.storages import Bucket


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    storage = Bucket()
    monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
    return storage


@pytest.fixture
def _presigners_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test registers is forgotten after it."""
    monkeypatch.setattr(presigning, "_presigners", deepcopy(presigning._presigners))


@pytest.fixture
def signing_bucket(monkeypatch: pytest.MonkeyPatch, _presigners_of_its_own: None) -> SigningBucket:
    presigning.register("tests.delivery.buckets.SigningBucket", sign, place_and_key)
    storage = SigningBucket()
    monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
    return storage
