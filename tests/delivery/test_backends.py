"""Which backend delivers."""

from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, Storage
from pytest_django.fixtures import Settings

from directlinks.delivery.backends import get_delivery_backend
from directlinks.delivery.backends.signed_url import SignedURLBackend
from directlinks.delivery.backends.storage_url import StorageURLBackend
from directlinks.delivery.backends.stream import StreamBackend
from directlinks.delivery.backends.web_server import AccelBackend
from directlinks.delivery.base import DeliveryBackend
from tests.delivery.downloads import delivery
from tests.storages import Bucket

STREAM = "directlinks.delivery.backends.stream.StreamBackend"
ACCEL = "directlinks.delivery.backends.web_server.AccelBackend"


@pytest.mark.parametrize("declared", [{}, {"DELIVERY": None}, {"DELIVERY": {}}])
def test_unless_the_site_chooses_the_storage_decides(
    declared: dict[str, Any], settings: Settings
) -> None:
    settings.DIRECTLINKS = declared
    assert type(get_delivery_backend(FileSystemStorage())) is SignedURLBackend
    assert type(get_delivery_backend(Bucket())) is StorageURLBackend


@pytest.mark.parametrize("storage", [FileSystemStorage(), Bucket()])
def test_one_choice_may_be_for_all(storage: Storage, settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": STREAM}}
    backend = get_delivery_backend(storage)
    assert type(backend) is StreamBackend
    assert backend.storage is storage


def test_options_are_keywords_of_the_backend(settings: Settings) -> None:
    settings.DIRECTLINKS = delivery("web_server.AccelBackend", location="/elsewhere/")
    backend = get_delivery_backend(FileSystemStorage())
    assert isinstance(backend, AccelBackend)
    assert backend.location == "/elsewhere/"


def test_a_choice_may_be_by_storage_alias(settings: Settings) -> None:
    settings.DIRECTLINKS = {
        "DELIVERY": {
            "default": {"BACKEND": STREAM},
            "directlinks": {"BACKEND": ACCEL, "OPTIONS": {"location": "/x/"}},
        }
    }
    storage = FileSystemStorage()
    assert type(get_delivery_backend(storage)) is StreamBackend
    settings.STORAGES = {**settings.STORAGES, "directlinks": settings.STORAGES["default"]}
    assert type(get_delivery_backend(storage)) is AccelBackend


def test_an_alias_without_a_choice_has_the_default(settings: Settings) -> None:
    settings.DIRECTLINKS = {"DELIVERY": {"directlinks": {"BACKEND": STREAM}}}
    assert type(get_delivery_backend(FileSystemStorage())) is SignedURLBackend


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        (SignedURLBackend, False),
        (StorageURLBackend, False),
        (StreamBackend, False),
        (AccelBackend, True),
    ],
)
def test_a_backend_says_whether_it_needs_local_paths(
    backend: type[DeliveryBackend], expected: bool
) -> None:
    assert backend.needs_local_paths is expected


@pytest.mark.parametrize("backend", [SignedURLBackend, StreamBackend])
def test_a_backend_without_options_has_nothing_to_check(backend: type[DeliveryBackend]) -> None:
    assert list(backend(FileSystemStorage()).check()) == []
