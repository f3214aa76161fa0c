"""Visits, and calls of the API, while the storage of a content cannot be reached."""

import json
from typing import Any

import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # has no types
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks import reporting, signals
from directlinks.core.errors import StorageUnavailable
from directlinks.models import File
from directlinks.outages import RateLimitedLog
from directlinks.policies import OwnerOrAdmin
from directlinks.storage_errors import storage_errors
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory, FileFactory
from tests.serving.doors import DOORS, Door

pytestmark = pytest.mark.django_db

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def unreachable() -> Any:
    """A bucket at an address where there is no server, which is asked once."""
    place = {"endpoint_url": "http://127.0.0.1:1", "bucket_name": "files"}
    keys = {"access_key": "key", "secret_key": "secret", "region_name": "eu-west-1"}
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    return S3Storage(**place, **keys, client_config=once)


@pytest.fixture(scope="module")
def bucket() -> Any:
    return unreachable()


class AsksABucket(OwnerOrAdmin):
    """A site's policy that looks into a bucket."""

    def allows(self, user: Any, file: File) -> bool:
        with storage_errors():
            return bool(unreachable().exists("allowed"))


@pytest.fixture(autouse=True)
def _nothing_was_logged_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_outages", RateLimitedLog(3600.0))


@every_door
@pytest.mark.parametrize("by", ["link", "ticket"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_each_visit_is_told_to_come_again_and_nothing_is_counted(
    by: str,
    accept: str,
    door: Door,
    bucket: Any,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    link = DirectLinkFactory()
    address = link.get_absolute_url()
    if by == "ticket":
        address = door(address).headers["location"]
    settings.DIRECTLINKS = delivery("stream.StreamBackend")
    monkeypatch.setattr(File._meta.get_field("content"), "storage", bucket)
    refused: list[Exception] = []

    def listen(error: Exception, **kwargs: Any) -> None:
        refused.append(error)

    signals.refused.connect(listen)
    try:
        seen = [door(address, headers={"Accept": accept}) for _ in range(2)]
    finally:
        signals.refused.disconnect(listen)

    assert {(answer.status, answer.headers["retry-after"]) for answer in seen} == {(503, "5")}
    if accept == "application/json":
        assert json.loads(seen[0].body)["code"] == 503
    else:
        assert b"is temporarily unavailable" in seen[0].body
    link.refresh_from_db()
    assert link.downloads == (1 if by == "ticket" else 0)  # that of the redirect
    assert [type(error) for error in refused] == [StorageUnavailable] * (2 if by == "link" else 0)
    (line,) = (text for text in caplog.messages if "Storage unavailable" in text)
    assert line.endswith("The storage cannot be reached (EndpointConnectionError).")
    assert "Traceback" not in caplog.text


def test_a_call_of_the_api_is_told_to_come_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DIRECTLINKS = {"POLICY": f"{__name__}.AsksABucket"}
    file = FileFactory()
    client = APIClient()
    client.force_authenticate(file.owner)
    answer = client.get("/api/v4/file/info", {"id": file.pk})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (answer.json()["code"], answer.json()["msg"]) == (503, "Storage unavailable")
    (line,) = (text for text in caplog.messages if "Storage unavailable" in text)
    assert "EndpointConnectionError" in line
