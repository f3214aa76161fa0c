"""What each error of a storage means, whichever package it comes from."""

import errno
import os
import subprocess
import sys
from http.client import RemoteDisconnected
from typing import Any

import azure.core.exceptions as azure
import boto3.exceptions as boto3  # type: ignore[import-untyped]  # has no types
import botocore.exceptions as botocore  # type: ignore[import-untyped]  # has no types
import pytest
import requests.exceptions as http
import urllib3.exceptions as urllib3
from django.core.exceptions import SuspiciousFileOperation
from google.api_core import exceptions as google_api
from google.auth import exceptions as google_exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage._signing import ensure_signed_credentials  # type: ignore[import-untyped]  # has no types
from google.cloud.storage.exceptions import InvalidResponse  # type: ignore[import-untyped]  # has no types

from directlinks.core.errors import (
    ContentNotFound,
    DirectLinksError,
    LinkUsedUp,
    StorageRefused,
    StorageTimeout,
    StorageUnavailable,
)
from directlinks.storage_errors import storage_error, storage_errors

# Their classes have no types.
google: Any = google_api
google_auth: Any = google_exceptions
sign: Any = ensure_signed_credentials
Anonymous: Any = AnonymousCredentials


def s3(status: int, code: str, **headers: str) -> Exception:
    """As botocore makes it of an answer; HEAD has no body, so the status is the code."""
    answer = {
        "Error": {"Code": code, "Message": "as the server says"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    error: Exception = botocore.ClientError(answer, "GetObject")
    return error


class Response:
    """The answer of a server as azure.core and requests keep it."""

    reason = "as the server says"

    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status_code
        self.headers = headers or {}


def of_azure(
    kind: type[azure.HttpResponseError], status: int, code: str, **headers: str
) -> azure.HttpResponseError:
    response: Any = Response(status, headers)
    error = kind("as the server says", response=response)
    error.error_code = code  # type: ignore[attr-defined]  # as azure.storage.blob sets it
    return error


def raised(error: Exception, cause: BaseException | None = None) -> Exception:
    """``error``, as it was raised because of ``cause``."""
    error.__cause__ = cause
    return error


HOST = {"endpoint_url": "https://bucket.example", "error": "x"}
WITHOUT_LIST = "if the key may not list the bucket"


@pytest.mark.parametrize(
    ("error", "meaning", "words"),
    [
        (s3(404, "NoSuchKey"), ContentNotFound, "has no such content. (404 NoSuchKey)"),
        (s3(404, "404"), ContentNotFound, "has no such content. (404)"),
        (botocore.ClientError({"Error": {"Code": "404"}}, "HeadObject"), ContentNotFound, "(404)"),
        (s3(404, "NoSuchBucket"), StorageRefused, "bucket does not exist"),
        (s3(403, "AccessDenied"), StorageRefused, WITHOUT_LIST),
        (s3(403, "403"), StorageRefused, WITHOUT_LIST),
        (s3(403, "RequestTimeTooSkewed"), StorageRefused, "clock"),
        (s3(403, "InvalidAccessKeyId"), StorageRefused, "access key"),
        (s3(403, "InvalidObjectState"), StorageRefused, "archived"),
        (s3(400, "Odd"), StorageRefused, "The storage failed. (400 Odd)"),
        (s3(400, "RequestTimeout"), StorageTimeout, "RequestTimeout"),
        (s3(503, "SlowDown"), StorageUnavailable, "fewer requests"),
        (s3(500, "InternalError"), StorageUnavailable, "The storage failed. (500 InternalError)"),
        (botocore.NoCredentialsError(), StorageRefused, "set up (NoCredentialsError)"),
        (botocore.ConnectTimeoutError(**HOST), StorageTimeout, "in time (ConnectTimeoutError)"),
        (botocore.ReadTimeoutError(**HOST), StorageTimeout, "in time (ReadTimeoutError)"),
        (botocore.EndpointConnectionError(**HOST), StorageUnavailable, "be reached"),
        (botocore.ConnectionClosedError(**HOST), StorageUnavailable, "be reached"),
        (botocore.ResponseStreamingError(error="cut"), StorageUnavailable, "be reached"),
        (raised(boto3.S3UploadFailedError("x"), s3(503, "SlowDown")), StorageUnavailable, "fewer"),
        (boto3.S3UploadFailedError("x"), StorageUnavailable, "S3UploadFailedError"),
        (
            raised(boto3.S3UploadFailedError("x"), ValueError()),
            StorageUnavailable,
            "S3UploadFailedError",
        ),
        (
            of_azure(azure.ResourceNotFoundError, 404, "BlobNotFound"),
            ContentNotFound,
            "BlobNotFound",
        ),
        (
            of_azure(azure.ResourceNotFoundError, 404, "ContainerNotFound"),
            StorageRefused,
            "container does not exist",
        ),
        (
            of_azure(azure.ClientAuthenticationError, 403, "AuthenticationFailed"),
            StorageRefused,
            "the key or the clock",
        ),
        (of_azure(azure.HttpResponseError, 409, "BlobArchived"), StorageRefused, "archived"),
        (of_azure(azure.HttpResponseError, 503, "ServerBusy"), StorageUnavailable, "fewer"),
        (
            of_azure(azure.HttpResponseError, 500, "OperationTimedOut"),
            StorageTimeout,
            "OperationTimedOut",
        ),
        (azure.ClientAuthenticationError("no credential"), StorageRefused, "set up"),
        (azure.ServiceRequestError("refused"), StorageUnavailable, "be reached"),
        (azure.ServiceResponseTimeoutError("late"), StorageTimeout, "in time"),
        (
            raised(azure.ServiceResponseError("late"), http.ReadTimeout()),
            StorageTimeout,
            "ReadTimeout",
        ),
        (azure.IncompleteReadError("cut"), StorageUnavailable, "be reached"),
        (
            raised(azure.HttpResponseError("cut"), urllib3.ProtocolError()),
            StorageUnavailable,
            "ProtocolError",
        ),
        (azure.AzureError("odd"), StorageRefused, "set up"),
        (google.NotFound("File does not exist: x"), ContentNotFound, "(404)"),
        (google.NotFound("The specified bucket does not exist."), StorageRefused, "bucket"),
        (google.Forbidden("x", errors=[{"reason": "forbidden"}]), StorageRefused, "403 forbidden"),
        (google.Unauthorized("x"), StorageRefused, "refuses the credentials"),
        (google.TooManyRequests("x"), StorageUnavailable, "fewer requests"),
        (google.InternalServerError("x", errors=["odd"]), StorageUnavailable, "500"),
        (google.GatewayTimeout("x"), StorageTimeout, "504"),
        (
            raised(google.RetryError("x", None), http.ConnectionError()),
            StorageUnavailable,
            "ConnectionError",
        ),
        (google.RetryError("x", None), StorageTimeout, "RetryError"),
        (google_auth.DefaultCredentialsError("x"), StorageRefused, "set up"),
        (google_auth.TransportError("IAM refused"), StorageRefused, "set up"),
        (
            raised(google_auth.TransportError("x"), http.ConnectTimeout()),
            StorageTimeout,
            "ConnectTimeout",
        ),
        (InvalidResponse(Response(403), "x"), StorageRefused, "denies access"),
        (http.ChunkedEncodingError(), StorageUnavailable, "ChunkedEncodingError"),
        (urllib3.ReadTimeoutError(None, "", "late"), StorageTimeout, "in time"),  # type: ignore[arg-type]  # no pool
        (urllib3.ProtocolError("cut"), StorageUnavailable, "be reached"),
        (RemoteDisconnected("cut"), StorageUnavailable, "RemoteDisconnected"),
        (ConnectionRefusedError(), StorageUnavailable, "be reached"),
        (TimeoutError(), StorageTimeout, "in time"),
        (OSError(errno.ETIMEDOUT, "late"), StorageTimeout, "in time"),
        (OSError(errno.EHOSTUNREACH, "No route"), StorageUnavailable, "No route."),
        (FileNotFoundError("File does not exist: x"), ContentNotFound, "no such content"),
        (OSError(errno.EISDIR, "Is a directory"), ContentNotFound, "Is a directory."),
        (SuspiciousFileOperation("x"), ContentNotFound, "leads out of the storage"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Exception) else None,
)
def test_an_error_has_a_meaning_and_a_sentence(
    error: Exception, meaning: type[DirectLinksError], words: str
) -> None:
    found = storage_error(error)
    assert type(found) is meaning
    assert words in found.cause
    assert (found.seconds is None) is (meaning is ContentNotFound)
    with pytest.raises(meaning) as caught, storage_errors():
        raise error
    assert caught.value.__cause__ is error


def test_credentials_of_google_that_cannot_sign_are_refused() -> None:
    with pytest.raises(StorageRefused, match="cannot sign"), storage_errors():
        sign(Anonymous())


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.EMFILE, "Too many open files"),
        ValueError("a fault of the code"),
        AttributeError("a fault of the code"),
    ],
    ids=repr,
)
def test_what_is_no_answer_of_a_storage_stays_as_it_is(error: Exception) -> None:
    assert storage_error(error) is None
    with pytest.raises(type(error)) as caught, storage_errors():
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", [StorageTimeout(cause="late"), LinkUsedUp()])
def test_an_error_of_ours_is_translated_once(error: DirectLinksError) -> None:
    assert storage_error(error) is (error if isinstance(error, StorageTimeout) else None)
    with pytest.raises(type(error)) as caught, storage_errors():
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (s3(503, "SlowDown"), 5),
        (s3(503, "SlowDown", **{"retry-after": "20"}), 20),
        (s3(503, "SlowDown", **{"retry-after": "86400"}), 3600),
        (s3(503, "SlowDown", **{"retry-after": "Fri, 27 Nov 2026 12:00:00 GMT"}), 5),
        (of_azure(azure.HttpResponseError, 503, "ServerBusy", **{"Retry-After": "7"}), 7),
        (google.ServiceUnavailable("x", response=Response(503, {"Retry-After": "9"})), 9),
    ],
)
def test_a_storage_may_say_when_to_try_again(error: Exception, seconds: int) -> None:
    found = storage_error(error)
    assert found is not None
    assert found.seconds == seconds


def test_no_package_of_a_storage_is_imported() -> None:
    packages = ("boto3", "botocore", "azure", "google", "requests", "urllib3")
    program = f"import sys, directlinks.storage_errors\nprint(set({packages}) & set(sys.modules))"
    seen = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert seen.stdout == "set()\n"
