"""Translation of storage errors of S3, Azure, Google and the file system.

Their packages need not be installed, so exceptions are known by the dotted path of their class, and
the answers of servers by the attributes in which each package keeps them.
"""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.core.exceptions import SuspiciousFileOperation

from directlinks.core.errors import (
    ContentNotFound,
    DirectLinksError,
    StorageRefused,
    StorageTimeout,
    StorageUnavailable,
)

Meaning = ContentNotFound | StorageRefused | StorageTimeout | StorageUnavailable


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise what an error of a storage means, from that error, if ``storage_error`` knows it."""
    try:
        yield
    except DirectLinksError:
        raise
    except Exception as error:
        if (meaning := storage_error(error)) is None:
            raise
        raise meaning from error


def storage_error(error: BaseException) -> Meaning | None:
    """Return what ``error`` of a storage means, or None if it is none of a storage that we know.

    ``cause`` of what is returned is a short sentence for people, without any secret. S3 answers 403
    for a missing object, too, if the key may not list the bucket, and the sentence says so.
    """
    if isinstance(error, ContentNotFound | StorageRefused | StorageTimeout | StorageUnavailable):
        return error
    if (answer := _answer_in(error)) is not None:
        return _meaning_of(answer)
    if isinstance(error, SuspiciousFileOperation):
        return ContentNotFound(cause="The name of the content leads out of the storage.")
    if _is_of_signing(error):
        return StorageRefused(cause="The credentials of the storage cannot sign.")
    return _meaning_of_class(error)


def answer_error(status: int, headers: Mapping[str, str]) -> Meaning:
    """Return what an answer with ``status`` means that no package has made an exception of."""
    return _meaning_of(_Answer(status, "", headers.get("Retry-After")))


Tell = Callable[[str, Exception], None]
"""Called with the name of a content, and with the error that concerns it alone."""


@contextmanager
def reported_errors(name: str, tell: Tell) -> Iterator[None]:
    """Call ``tell`` with an error of a storage, or of the machine, and go on after the block."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and storage_error(error) is None:
            raise
        tell(name, error)


# What is wrong with the name of a content, or with what is there on this machine. Every other
# OSError of a disk may pass, and is no answer of a storage.
_NO_CONTENT = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,  # symbolic links that lead in a circle
        errno.EACCES,
        errno.EPERM,
        errno.ENXIO,  # a socket, a device that does not exist, and what is no regular file
        errno.ENODEV,
    }
)
_UNREACHABLE = frozenset(
    {errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN, errno.ENETRESET}
)

_REFUSED = StorageRefused(cause="The storage cannot be asked as it is set up ({}).")
_UNREACHED = StorageUnavailable(cause="The storage cannot be reached ({}).")
_LATE = StorageTimeout(cause="The storage did not answer in time ({}).")
_MISSING = ContentNotFound(cause="The storage has no such content ({}).")

# The nearest class of an exception's own decides.
_CLASSES: dict[str, Meaning] = {
    "botocore.exceptions.ConnectTimeoutError": _LATE,
    "botocore.exceptions.ReadTimeoutError": _LATE,
    "botocore.exceptions.HTTPClientError": _UNREACHED,
    "botocore.exceptions.ConnectionError": _UNREACHED,
    "botocore.exceptions.IncompleteReadError": _UNREACHED,
    "botocore.exceptions.BotoCoreError": _REFUSED,
    "boto3.exceptions.Boto3Error": _UNREACHED,
    "azure.core.exceptions.ServiceRequestTimeoutError": _LATE,
    "azure.core.exceptions.ServiceResponseTimeoutError": _LATE,
    "azure.core.exceptions.ServiceRequestError": _UNREACHED,
    "azure.core.exceptions.ServiceResponseError": _UNREACHED,
    "azure.core.exceptions.IncompleteReadError": _UNREACHED,
    "azure.core.exceptions.ClientAuthenticationError": _REFUSED,
    # Without an answer: a part of the body that did not arrive.
    "azure.core.exceptions.HttpResponseError": _UNREACHED,
    "azure.core.exceptions.AzureError": _REFUSED,
    "google.api_core.exceptions.RetryError": _LATE,
    "google.api_core.exceptions.GoogleAPIError": _REFUSED,
    "google.auth.exceptions.TimeoutError": _LATE,
    "google.auth.exceptions.GoogleAuthError": _REFUSED,
    "requests.exceptions.Timeout": _LATE,
    "requests.exceptions.RequestException": _UNREACHED,
    "urllib3.exceptions.TimeoutError": _LATE,
    "urllib3.exceptions.HTTPError": _UNREACHED,
    "http.client.HTTPException": _UNREACHED,
    "socket.gaierror": _UNREACHED,
    "ssl.SSLError": _UNREACHED,
    "builtins.ConnectionError": _UNREACHED,
    "builtins.TimeoutError": _LATE,
    "builtins.FileNotFoundError": _MISSING,
}
# These only carry another error, and that says more.
_CARRIERS = frozenset(
    {
        "boto3.exceptions.Boto3Error",
        "azure.core.exceptions.HttpResponseError",
        "azure.core.exceptions.ServiceRequestError",
        "azure.core.exceptions.ServiceResponseError",
        "google.api_core.exceptions.RetryError",
        "google.auth.exceptions.GoogleAuthError",
        "requests.exceptions.RequestException",
    }
)


def _meaning_of_class(error: BaseException) -> Meaning | None:
    for kind in type(error).__mro__:
        path = f"{kind.__module__}.{kind.__qualname__}"
        if path in _CLASSES:
            inner = error.__cause__ or error.__context__
            if path in _CARRIERS and inner is not None:
                carried = storage_error(inner)
                if carried is not None:
                    return carried
            known = _CLASSES[path]
            return type(known)(cause=known.cause.format(type(error).__name__))
    if isinstance(error, OSError):
        if error.errno in _NO_CONTENT:
            return ContentNotFound(cause=f"{error.strerror}.")
        if error.errno in _UNREACHABLE:
            return StorageUnavailable(cause=f"{error.strerror}.")
    return None


class _Answer(NamedTuple):
    """What a server answered: ``code`` is its own name for the error, "" if it gave none."""

    status: int
    code: str
    retry_after: str | None


def _answer_in(error: BaseException) -> _Answer | None:
    """Return the answer of a server that the exception of its package is about."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        metadata = response.get("ResponseMetadata", {})
        code = str(response.get("Error", {}).get("Code", ""))
        status = metadata.get("HTTPStatusCode") or (int(code) if code.isdecimal() else 0)
        headers = metadata.get("HTTPHeaders", {})
        if code.isdecimal():  # an answer to HEAD has no other
            code = "Forbidden" if status == 403 else ""
        return _Answer(status, code, headers.get("retry-after"))
    package = type(error).__module__.partition(".")[0]
    if package not in ("azure", "google"):
        return None
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    status = status or getattr(response, "status_code", None)
    if not isinstance(status, int):
        return None
    headers = getattr(response, "headers", None) or {}
    return _Answer(int(status), _code_in(error), headers.get("Retry-After"))


def _code_in(error: Any) -> str:
    """Return the name that Azure, or Google, gave to ``error``."""
    if isinstance(code := getattr(error, "error_code", None), str):
        return str(getattr(code, "value", code))
    if "bucket does not exist" in str(error):
        return "NoSuchBucket"
    first = next(iter(getattr(error, "errors", ())), None)
    return str(first.get("reason", "")) if isinstance(first, Mapping) else ""


_WITHOUT_LIST = (
    "S3 also answers so for an object that is missing, if the key may not list the bucket "
    "(s3:ListBucket)."
)
# By the code of the error, or else by the status.
_SENTENCES = {
    "NoSuchBucket": "The bucket does not exist.",
    "ContainerNotFound": "The container does not exist.",
    "ContainerBeingDeleted": "The container is being deleted.",
    "AccountIsDisabled": "The account is disabled.",
    "Forbidden": f"The storage denies access. {_WITHOUT_LIST}",
    "AccessDenied": f"The storage denies access. {_WITHOUT_LIST}",
    "InvalidObjectState": "The object is archived, and must be restored before it can be read.",
    "BlobArchived": "The object is archived, and must be restored before it can be read.",
    "RequestTimeTooSkewed": "The clock of this machine differs from that of the storage.",
    "InvalidAccessKeyId": "The storage does not know the access key.",
    "SignatureDoesNotMatch": "The storage refuses the signature: the secret key may be wrong.",
    "ExpiredToken": "The credentials have expired.",
    "AuthenticationFailed": "The storage refuses the signature: the key or the clock may be wrong.",
    "SlowDown": "The storage asks for fewer requests.",
    "ServerBusy": "The storage asks for fewer requests.",
    "401": "The storage refuses the credentials.",
    "403": "The storage denies access.",
    "404": "The storage has no such content.",
    "429": "The storage asks for fewer requests.",
}
_GONE_BUCKETS = frozenset({"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"})
_BUSY = frozenset({"SlowDown", "ServerBusy", "Throttling", "ThrottlingException"})
_TOO_SLOW = frozenset({"RequestTimeout", "OperationTimedOut"})


def _meaning_of(answer: _Answer) -> Meaning:
    status, code, retry_after = answer
    sentence = _SENTENCES.get(code) or _SENTENCES.get(str(status)) or "The storage failed."
    cause = f"{sentence} ({status} {code})".replace(" )", ")")
    if code in _GONE_BUCKETS:
        return StorageRefused(cause=cause)
    if status in (404, 410):
        return ContentNotFound(cause=cause)
    if status == 504 or code in _TOO_SLOW:
        return StorageTimeout(cause=cause)
    if status >= 500 or status == 429 or code in _BUSY:
        return StorageUnavailable(cause=cause, seconds=_seconds_of(retry_after))
    return StorageRefused(cause=cause)


def _seconds_of(retry_after: str | None) -> int | None:
    """Return the seconds that a server asks to wait for, if it says that in seconds."""
    if retry_after is None or not retry_after.isdecimal():
        return None
    return min(int(retry_after), 3600)


def _is_of_signing(error: BaseException) -> bool:
    """Return True if Google's package found out, by what is missing, that a key cannot sign."""
    if not isinstance(error, AttributeError):
        return False
    raised = error.__traceback__
    while raised is not None and raised.tb_next is not None:
        raised = raised.tb_next
    return raised is not None and raised.tb_frame.f_globals.get("__name__") == _SIGNING


_SIGNING = "google.cloud.storage._signing"
