"""The copies of storages by which visitors do not wait for long."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # has no types
from django.core.files.storage import FileSystemStorage
from pytest_django.fixtures import Settings
from storages.backends.azure_storage import AzureStorage  # type: ignore[import-untyped]  # has no types
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks.delivery.time_limits import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    _Session,
    within_limits,
)

# django-storages asks for the time in a way that Python 3.12 speaks against.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

KEY = b64encode(b"secret").decode()


def s3(**options: Any) -> Any:
    keys = {"access_key": "key", "secret_key": "secret", "bucket_name": "files"}
    return S3Storage(**keys, **{"signature_version": "s3v4", "region_name": "eu-west-1", **options})


class OwnClient(AzureStorage):  # type: ignore[misc]  # has no types
    def _get_service_client(self) -> Any:
        return super()._get_service_client()  # pragma: no cover


def azure(kind: type[Any] = AzureStorage, **options: Any) -> Any:
    return kind(**{"account_name": "me", "account_key": KEY, "azure_container": "files", **options})


def limits_of_azure(storage: Any) -> tuple[int, int]:
    transport = storage.service_client._pipeline._transport
    return transport.connection_config.timeout, transport.connection_config.read_timeout


def test_s3_gives_up_in_time_and_the_site_waits_as_before() -> None:
    storage = s3()
    limited: Any = within_limits(storage)
    config = limited.connection.meta.client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_SECONDS, ANSWER_SECONDS)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
    assert (config.signature_version, config.region_name) == ("s3v4", "eu-west-1")
    assert storage.connection.meta.client.meta.config.read_timeout == 60


def test_what_a_site_chose_for_s3_is_kept() -> None:
    chosen = Config(read_timeout=3, retries={"total_max_attempts": 7})
    limited: Any = within_limits(s3(client_config=chosen))
    config = limited.client_config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_SECONDS, 3)
    assert config.retries == {"total_max_attempts": 7}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"connection_string": f"AccountName=me;AccountKey={KEY};EndpointSuffix=core.windows.net"},
    ],
)
def test_azure_gives_up_in_time_and_the_site_waits_as_before(options: dict[str, Any]) -> None:
    storage = azure(**options)
    limited: Any = within_limits(storage)
    assert limits_of_azure(limited) == (CONNECT_SECONDS, ANSWER_SECONDS)
    assert limited.service_client.url == storage.service_client.url
    assert limits_of_azure(storage) != limits_of_azure(limited)


def test_what_a_site_chose_for_azure_is_kept() -> None:
    assert limits_of_azure(within_limits(azure(client_options={"read_timeout": 3}))) == (
        CONNECT_SECONDS,
        3,
    )
    own = azure(OwnClient)
    assert within_limits(own) is own


def test_a_copy_is_made_once_for_each_storage_until_settings_change(settings: Settings) -> None:
    storage = s3()
    limited = within_limits(storage)
    assert within_limits(storage) is limited
    assert within_limits(s3()) is not limited
    settings.DIRECTLINKS = {"TARGET_SECONDS": 5}
    assert within_limits(storage) is not limited


def test_other_storages_stay_as_they_are() -> None:
    storage = FileSystemStorage()
    assert within_limits(storage) is storage


def test_a_session_of_google_has_all_that_its_own_has() -> None:
    assert _Session(SimpleNamespace(is_mtls=False)).is_mtls is False
