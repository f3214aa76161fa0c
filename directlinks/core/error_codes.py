"""The numbers of the protocol's errors, and the HTTP status that goes with each."""

from enum import IntEnum


class ErrorCode(IntEnum):
    """The number that a client reads in ``code``."""

    SUCCESS = 0
    UNKNOWN = -1
    LOGIN_REQUIRED = 401
    PERMISSION_DENIED = 403
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    CONFLICT = 409
    GONE = 410
    CONFIRMATION_REQUIRED = 428
    TOO_MANY_REQUESTS = 429
    STORAGE_REFUSED = 502
    UNAVAILABLE = 503
    STORAGE_TIMEOUT = 504
    INVALID_PARAMETERS = 40001
    SIGNATURE_EXPIRED = 40005
    LINKS_SWITCHED_OFF = 40007
    TOO_MANY_URIS = 40014
    PATH_NOT_EXIST = 40016
    ACCOUNT_NOT_ACTIVATED = 40018
    INVALID_TOKEN = 40020
    INVALID_SIGNATURE = 40071
    BATCH_ABOVE_CEILING = 40074
    ENTITY_NOT_EXIST = 40077
    INCORRECT_CREDENTIALS = 40080
    BATCH_NOT_COMPLETED = 40081
    NOT_OWNER = 40082

    @property
    def http_status(self) -> int:
        """The HTTP status of an answer whose request failed with this code."""
        return _HTTP_STATUS.get(self, self.value)


# Codes that are no HTTP status themselves. A batch that was worked through (40081) is a success.
_HTTP_STATUS = {
    0: 200, 40081: 200, -1: 500, 40020: 401, 40080: 401,
    40001: 400, 40014: 400, 40074: 400, 40016: 404, 40077: 404,
    40005: 403, 40007: 403, 40018: 403, 40071: 403, 40082: 403,
}  # fmt: skip
