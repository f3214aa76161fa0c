"""What keeps visitors from following the URLs of a storage, each with an id and a cure."""

import subprocess
import sys
from typing import Any

import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # has no types
from django.core.checks import CheckMessage, run_checks
from django.core.files.storage import Storage
from google.oauth2.credentials import Credentials
from pytest_django.fixtures import Settings
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks.delivery.presigning import Target, register

S3 = "storages.backends.s3.S3Storage"
GOOGLE = "storages.backends.gcloud.GoogleCloudStorage"
AZURE = "storages.backends.azure_storage.AzureStorage"
FTP = "storages.backends.ftp.FTPStorage"
FILES = "django.core.files.storage.FileSystemStorage"
REDIRECT = {"DELIVERY": {"BACKEND": "directlinks.delivery.backends.storage_url.StorageURLBackend"}}
STREAM = {"DELIVERY": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}}
PLACE = {"location": "ftp://me:secret@files.example:21/"}
WEEK = 7 * 24 * 3600

RIGHT: dict[str, dict[str, Any]] = {
    S3: {
        "access_key": "key",
        "secret_key": "secret",
        "bucket_name": "files",
        "region_name": "eu-central-1",
        "signature_version": "s3v4",
        "addressing_style": "virtual",
    },
    GOOGLE: {"bucket_name": "files", "project_id": "project"},
    AZURE: {"account_name": "me", "account_key": "a2V5", "azure_container": "files"},
}


class Signer:
    """What a key of Google's is to the check."""

    def sign_bytes(self, message: bytes) -> bytes:
        return message  # pragma: no cover


class OwnS3Storage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """As sites write them."""


class NoURLs(Storage):
    """As Django's base class is."""

    path = None  # type: ignore[assignment]  # not called: the backend is named


class Signed(NoURLs):
    base_url = None


register(f"{__name__}.Signed", lambda storage, name, wish: Target("https://cdn.example/"))


def found(
    settings: Settings, backend: str, *, declared: dict[str, Any] | None = None, **options: Any
) -> list[CheckMessage]:
    given = {
        name: value
        for name, value in {**RIGHT.get(backend, {}), **options}.items()
        if value is not None
    }
    storage = {"BACKEND": backend, "OPTIONS": given}
    settings.STORAGES = {**settings.STORAGES, "directlinks": storage}
    settings.DIRECTLINKS = declared or {}
    return run_checks(tags=["directlinks"])


def ids(settings: Settings, backend: str, **options: Any) -> list[str]:
    return [
        str(message.id).removeprefix("directlinks.")
        for message in found(settings, backend, **options)
    ]


@pytest.fixture(autouse=True)
def without_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


LONG = {"TARGET_SECONDS": WEEK + 1}
DAY = {"TARGET_SECONDS": 24 * 3600}
V4, V2 = Config(signature_version="s3v4"), Config(signature_version="s3")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"declared": {"TARGET_SECONDS": WEEK}}, []),
        ({"declared": LONG}, ["E038"]),
        ({"declared": LONG, "signature_version": None}, ["W010"]),
        ({"secret_key": None}, ["E039"]),
        ({"access_key": None, "secret_key": None}, []),
        ({"access_key": None, "secret_key": None, "declared": DAY}, ["W018"]),
        ({"security_token": "token", "declared": DAY}, ["W018"]),
        ({"security_token": "token"}, []),
        ({"declared": DAY}, []),
        ({"signature_version": None}, ["W010"]),
        ({"signature_version": "s3"}, ["W010"]),
        ({"client_config": V2, "region_name": "us-east-1"}, ["W010"]),
        ({"client_config": V4, "region_name": "us-east-1"}, []),
        ({"client_config": V4}, ["W020"]),
        ({"querystring_auth": False}, ["W016"]),
        ({"querystring_auth": False, "declared": LONG}, ["W016"]),
        ({"custom_domain": "cdn.example.org"}, ["W017"]),
        ({"custom_domain": "cdn.example.org", "cloudfront_signer": object(), "declared": LONG}, []),
        ({"region_name": None}, ["W019"]),
        ({"region_name": None, "endpoint_url": "https://s3.example.org"}, []),
        (
            {"region_name": None, "access_key": None, "secret_key": None, "session_profile": "a"},
            [],
        ),
        ({"addressing_style": None}, ["W020"]),
        ({"addressing_style": "path"}, ["W020"]),
        ({"addressing_style": None, "region_name": "us-east-1"}, []),
        ({"addressing_style": None, "region_name": "cn-north-1"}, []),
        ({"addressing_style": None, "endpoint_url": "https://s3.example.org"}, []),
        ({"endpoint_url": "http://s3.example.org"}, []),
        (
            {
                "endpoint_url": "http://s3.example.org",
                "declared": {"BASE_URL": "https://a.example"},
            },
            ["W021"],
        ),
    ],
)
@pytest.mark.parametrize("kind", [S3, f"{__name__}.OwnS3Storage"])
def test_s3(kind: str, options: dict[str, Any], expected: list[str], settings: Settings) -> None:
    assert ids(settings, kind, **{**RIGHT[S3], **options}) == expected


def test_s3_may_have_its_region_from_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert ids(settings, S3, region_name=None) == []
    assert ids(settings, S3, region_name=None, addressing_style=None) == ["W020"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"declared": LONG}, ["E038"]),
        ({"querystring_auth": False, "declared": LONG}, ["W016"]),
        ({"default_acl": "publicRead", "declared": LONG}, []),
        ({"credentials": Credentials("token")}, ["E039"]),  # type: ignore[no-untyped-call]  # google-auth has no types
        ({"credentials": object(), "iam_sign_blob": True}, []),
        ({"credentials": Signer()}, []),
    ],
)
def test_google(options: dict[str, Any], expected: list[str], settings: Settings) -> None:
    assert ids(settings, GOOGLE, **options) == expected


TOKEN = {"account_key": None, "token_credential": object()}
SHARED = "BlobEndpoint=https://me.blob.core.windows.net;SharedAccessSignature=sv=1&sig=s"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"declared": LONG}, []),
        ({"expiration_secs": 3600}, []),
        (TOKEN, ["W016"]),
        ({**TOKEN, "expiration_secs": 3600}, []),
        ({**TOKEN, "expiration_secs": 3600, "declared": LONG}, ["E038"]),
        ({"account_key": None}, ["W016"]),
        ({"account_key": None, "expiration_secs": 3600}, ["E039"]),
        ({"account_key": None, "sas_token": "sv=1&sig=s"}, ["E041"]),
        ({"account_key": None, "connection_string": SHARED}, ["E041"]),
    ],
)
def test_azure(options: dict[str, Any], expected: list[str], settings: Settings) -> None:
    assert ids(settings, AZURE, **options) == expected


@pytest.mark.parametrize(
    ("backend", "options", "expected"),
    [
        (FTP, PLACE, ["E040"]),
        (FTP, {**PLACE, "base_url": "https://files.example/"}, []),
        (FTP, {**PLACE, "base_url": "//a.example/"}, ["E040"]),
        (FILES, {}, ["E040"]),
        (FILES, {"base_url": "/links/"}, ["E040"]),
        (FILES, {"base_url": "https://files.example/links/"}, []),
        ("tests.storages.Bucket", {}, []),
        (f"{__name__}.NoURLs", {}, ["E040"]),
        (f"{__name__}.Signed", {}, []),
    ],
)
def test_storages_that_sign_nothing(
    backend: str, options: dict[str, Any], expected: list[str], settings: Settings
) -> None:
    assert ids(settings, backend, declared=REDIRECT, **options) == expected


@pytest.mark.parametrize(
    ("declared", "redirects", "expected"),
    [
        ({}, False, []),
        ({}, True, ["W021"]),
        ({"BASE_URL": "https://a.example"}, False, ["W021"]),
        ({"BASE_URL": ["https://a.example", "https://b.example"]}, False, ["W021"]),
        ({"BASE_URL": ["https://a.example", "http://b.example"]}, True, []),
        ({"BASE_URL": "http://a.example"}, True, []),
        ({"BASE_URL": "tests.test_addresses.by_user"}, True, ["W021"]),
    ],
)
def test_a_site_with_https_leads_to_no_http(
    declared: dict[str, Any], redirects: bool, expected: list[str], settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT = redirects
    bucket = {"base_url": "http://bucket.example/"}
    assert ids(settings, "tests.storages.Bucket", declared=declared, **bucket) == expected


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        (S3, {"querystring_auth": False}),
        (FTP, PLACE),
        (AZURE, {"account_key": None}),
    ],
)
def test_a_storage_that_no_visitor_is_sent_to_is_not_judged(
    backend: str, options: dict[str, Any], settings: Settings
) -> None:
    assert ids(settings, backend, **options)
    assert ids(settings, backend, declared=STREAM, **options) == []


def test_each_fault_has_a_cure(settings: Settings) -> None:
    (fault,) = found(settings, S3, addressing_style=None)
    assert fault.msg == (
        "S3 signs for the host of all regions, from which a new bucket in eu-central-1 redirects, "
        "and a signature does not survive that."
    )
    assert fault.hint == "Set the storage's option addressing_style to 'virtual'."


def test_no_library_of_a_bucket_is_imported_for_it() -> None:
    code = (
        "import sys, django\n"
        "from django.conf import settings\n"
        "settings.configure()\n"
        "django.setup()\n"
        "import directlinks.delivery.url_checks\n"
        "print([name for name in ('boto3', 'azure', 'google', 'storages') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
