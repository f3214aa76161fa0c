"""Every error that directlinks raises on purpose, each with its number beside it.

::

    DirectLinksError                  -1     anything that has no number of its own
    ├── ServiceUnavailable           503     the database is away; carries when to try again
    ├── StorageError                         the storage of a file does not give it
    │   ├── StorageRefused           502     it refuses, or is set up so that it cannot be asked
    │   ├── StorageUnavailable       503     it cannot be reached, fails, or is too busy
    │   └── StorageTimeout           504     it does not answer in time
    ├── InvalidParameters          40001     the request has the wrong shape
    │   └── UnknownURI             40001     a text that is no file URI
    ├── LoginRequired                401
    ├── InvalidToken               40020
    ├── IncorrectCredentials       40080
    ├── AccountNotActivated        40018
    ├── LinksSwitchedOff           40007     the site has switched creating links off
    ├── TooManyURIs                40014     more URIs than a user may send at once
    ├── BatchAboveCeiling          40074     more URIs than the site accepts at all
    ├── KeyReused                    409     an Idempotency-Key that came with another request
    ├── URIError                             one URI that cannot have a link
    │   ├── UnknownFileSystem         -1
    │   ├── ActionNotSupported       403
    │   ├── NotOwner               40082
    │   ├── EntityNotExist         40077
    │   │   └── NotAFile           40077     a folder is there instead
    │   └── TargetError                      the file that it names was not reached
    │       ├── ShareNotFound        404
    │       ├── ForeignSpace         403
    │       └── PathNotExist       40016
    ├── LinkNotFound                 404     to a visitor
    │   ├── LinkUnknown              404     no link ever had this code, as far as we know
    │   ├── NotYourLink              404     to a user who asks to manage the link
    │   └── ContentNotFound          404     its file is not in the storage
    ├── LinkGone                     410
    │   ├── LinkExpired              410
    │   └── LinkUsedUp               410
    ├── PasswordRequired             401     no password came with the visit
    │   └── WrongPassword            401
    ├── ConfirmationRequired         428     only a POST gets the file
    ├── RefererRefused               403     another site sent the visitor
    ├── TooManyAttempts              429     carries after how many seconds to try again
    ├── MethodNotAllowed             405     a link is only read
    ├── NotForPreviews               503     no bytes for a look that is not counted
    └── TicketError                          a temporary content URL that is not honoured
        ├── TicketInvalid          40071
        └── TicketExpired          40005

Raise them anywhere; the API and the visitor's views translate them once, into an envelope.
"""

from enum import IntEnum

from directlinks.core.paths import quote


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


class DirectLinksError(Exception):
    """The root of the family.

    ``msg`` is what a client reads, ``cause`` what lies beneath it, and ``text`` the two in one
    sentence behind ``prefix``, which says what was being attempted. After ``seconds`` it is worth
    trying again, if that is known.
    """

    code = ErrorCode.UNKNOWN
    msg = ""
    cause = ""
    prefix = ""
    seconds: int | None = None

    def __init__(self, msg: str | None = None, *, cause: str | None = None) -> None:
        if msg is not None:
            self.msg = msg
        if cause is not None:
            self.cause = cause
        # Pickling calls the class with these and puts the attributes back, so it needs no more.
        super().__init__()

    @property
    def text(self) -> str:
        """The whole error in one line, as the only failure of a batch shows it."""
        return self.prefix + ": ".join(part for part in (self.msg, self.cause) if part)

    def __str__(self) -> str:
        return self.text


class ServiceUnavailable(DirectLinksError):
    """The database cannot be reached."""

    code = ErrorCode.UNAVAILABLE
    msg = "Service unavailable"
    seconds = 5


class InvalidParameters(DirectLinksError):
    code = ErrorCode.INVALID_PARAMETERS
    msg = "Parameter error"


class UnknownURI(InvalidParameters):
    msg = "unknown uri"


class LoginRequired(DirectLinksError):
    code = ErrorCode.LOGIN_REQUIRED
    msg = "Login required"


class InvalidToken(DirectLinksError):
    code = ErrorCode.INVALID_TOKEN
    msg = "Invalid token type"


class IncorrectCredentials(DirectLinksError):
    code = ErrorCode.INCORRECT_CREDENTIALS
    msg = "Incorrect password or email address"


class AccountNotActivated(DirectLinksError):
    code = ErrorCode.ACCOUNT_NOT_ACTIVATED
    msg = "This account is not activated"


class LinksSwitchedOff(DirectLinksError):
    code = ErrorCode.LINKS_SWITCHED_OFF


class TooManyURIs(DirectLinksError):
    code = ErrorCode.TOO_MANY_URIS


class BatchAboveCeiling(DirectLinksError):
    """``ceiling`` is the number of URIs that the site accepts in one request."""

    code = ErrorCode.BATCH_ABOVE_CEILING

    def __init__(self, ceiling: int) -> None:
        super().__init__(f"Maximum allowed batch size: {ceiling}")
        self.ceiling = ceiling
        self.args = (ceiling,)


class KeyReused(DirectLinksError):
    code = ErrorCode.CONFLICT
    msg = "This Idempotency-Key belongs to another request"


class URIError(DirectLinksError):
    """One URI of a batch cannot have a link; the others go on."""


class UnknownFileSystem(URIError):
    def __init__(self, fs: str) -> None:
        super().__init__(cause=f"unknown file system {quote(fs)}")
        self.fs = fs
        self.args = (fs,)


class ActionNotSupported(URIError):
    code = ErrorCode.PERMISSION_DENIED
    msg = "Not supported action"
    # A backslash and a letter: how the original writes the number of the refused capability.
    cause = r"action '\a' is not supported under current fs"


class TargetError(URIError):
    """The file that a URI names could not be reached."""

    prefix = "failed to get target file: "


class ShareNotFound(TargetError):
    code = ErrorCode.NOT_FOUND
    msg = "Shared file does not exist"


class ForeignSpace(TargetError):
    code = ErrorCode.PERMISSION_DENIED
    msg = "Permission denied"


class NotOwner(URIError):
    code = ErrorCode.NOT_OWNER
    msg = "Only owner or administrator can perform this action"


class PathNotExist(TargetError):
    """``element`` is the name at which the walk along the path ended, where that is known."""

    code = ErrorCode.PATH_NOT_EXIST
    msg = "Path not exist"

    def __init__(self, *, cause: str = "ent: file not found", element: str | None = None) -> None:
        super().__init__(cause=cause)
        self.element = element
        if element is not None:
            self.prefix = f"{TargetError.prefix}failed to walk into {quote(element)}: "


class EntityNotExist(URIError):
    code = ErrorCode.ENTITY_NOT_EXIST
    msg = "Entity not exist"


class NotAFile(EntityNotExist):
    """A folder is there instead: ``path`` in the space of the user with the key ``owner``."""

    def __init__(self, owner: object, path: str) -> None:
        super().__init__()
        self.owner = owner
        self.path = path
        self.args = (owner, path)


class LinkNotFound(DirectLinksError):
    code = ErrorCode.NOT_FOUND
    msg = "direct link not found"


class LinkUnknown(LinkNotFound):
    """No link has this code, or this name if the code is short: the client may be guessing.

    The answer is that of every link that is not found.
    """


class NotYourLink(LinkNotFound):
    """There is no such link, or the user may not know that it exists."""

    msg = "Direct link not found"


class LinkGone(DirectLinksError):
    code = ErrorCode.GONE


class LinkExpired(LinkGone):
    msg = "Direct link expired"


class LinkUsedUp(LinkGone):
    msg = "Direct link used up"


class PasswordRequired(DirectLinksError):
    code = ErrorCode.LOGIN_REQUIRED
    msg = "Password required"


class WrongPassword(PasswordRequired):
    msg = "Wrong password"


class ConfirmationRequired(DirectLinksError):
    """The link asks first, and this visit is no POST; ``name`` and ``size`` are of its file."""

    code = ErrorCode.CONFIRMATION_REQUIRED
    msg = "This link asks first: send a POST request to its address, then follow the redirect"

    def __init__(self, name: str, size: int) -> None:
        super().__init__()
        self.name = name
        self.size = size
        self.args = (name, size)


class RefererRefused(DirectLinksError):
    code = ErrorCode.PERMISSION_DENIED
    msg = "This link does not open from there"


class TooManyAttempts(DirectLinksError):
    """``seconds`` from now on it is worth trying again."""

    code = ErrorCode.TOO_MANY_REQUESTS
    msg = "Too many attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds
        self.args = (seconds,)


class MethodNotAllowed(DirectLinksError):
    code = ErrorCode.METHOD_NOT_ALLOWED
    msg = "Method not allowed"


class NotForPreviews(DirectLinksError):
    code = ErrorCode.UNAVAILABLE
    msg = "This link opens for downloads only"


class TicketError(DirectLinksError):
    pass


class TicketInvalid(TicketError):
    code = ErrorCode.INVALID_SIGNATURE
    msg = "invalid sign"


class TicketExpired(TicketError):
    code = ErrorCode.SIGNATURE_EXPIRED
    msg = "signature expired"


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
