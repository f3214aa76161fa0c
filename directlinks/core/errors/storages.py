"""Why the storage of a file does not give it.

``cause`` of each says in a short sentence what is wrong. It is for the log and for developers.
"""

from directlinks.core.error_codes import ErrorCode
from directlinks.core.errors.base import DirectLinksError
from directlinks.core.errors.visits import LinkNotFound


class ContentNotFound(LinkNotFound):
    """The storage has no such content: to a visitor a link without one is not there."""


class StorageError(DirectLinksError):
    """The storage did not give what it was asked for, and that may change."""


class StorageRefused(StorageError):
    """The storage refuses the request, or is set up so that it cannot be asked: a site must act."""

    code = ErrorCode.STORAGE_REFUSED
    msg = "Storage refused the file"
    seconds = 60


class StorageUnavailable(StorageError):
    """The storage cannot be reached, fails, or has too much to do."""

    code = ErrorCode.UNAVAILABLE
    msg = "Storage unavailable"
    seconds = 5

    def __init__(self, *, cause: str | None = None, seconds: int | None = None) -> None:
        super().__init__(cause=cause)
        if seconds is not None:
            self.seconds = seconds


class StorageTimeout(StorageError):
    """The storage did not answer in time."""

    code = ErrorCode.STORAGE_TIMEOUT
    msg = "Storage did not answer in time"
    seconds = 5
