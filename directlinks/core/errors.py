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
    """The request has the wrong shape."""

    code = ErrorCode.INVALID_PARAMETERS
    msg = "Parameter error"


class UnknownURI(InvalidParameters):
    """A text is no file URI."""

    msg = "unknown uri"


class LoginRequired(DirectLinksError):
    """The user is not authenticated."""

    code = ErrorCode.LOGIN_REQUIRED
    msg = "Login required"


class InvalidToken(DirectLinksError):
    """A token is malformed, expired or revoked."""

    code = ErrorCode.INVALID_TOKEN
    msg = "Invalid token type"


class IncorrectCredentials(DirectLinksError):
    """The login or the password is wrong."""

    code = ErrorCode.INCORRECT_CREDENTIALS
    msg = "Incorrect password or email address"


class AccountNotActivated(DirectLinksError):
    """The user is inactive."""

    code = ErrorCode.ACCOUNT_NOT_ACTIVATED
    msg = "This account is not activated"


class LinksSwitchedOff(DirectLinksError):
    """The site has switched creating links off."""

    code = ErrorCode.LINKS_SWITCHED_OFF


class TooManyURIs(DirectLinksError):
    """The request has more URIs than the user may send at once."""

    code = ErrorCode.TOO_MANY_URIS


class BatchAboveCeiling(DirectLinksError):
    """``ceiling`` is the number of URIs that the site accepts in one request."""

    code = ErrorCode.BATCH_ABOVE_CEILING

    def __init__(self, ceiling: int) -> None:
        super().__init__(f"Maximum allowed batch size: {ceiling}")
        self.ceiling = ceiling
        self.args = (ceiling,)


class KeyReused(DirectLinksError):
    """An Idempotency-Key came with another request."""

    code = ErrorCode.CONFLICT
    msg = "This Idempotency-Key belongs to another request"


class URIError(DirectLinksError):
    """One URI of a batch cannot have a link; the others go on."""


class UnknownFileSystem(URIError):
    """A URI names a file system that the protocol does not have."""

    def __init__(self, fs: str) -> None:
        super().__init__(cause=f"unknown file system {quote(fs)}")
        self.fs = fs
        self.args = (fs,)


class ActionNotSupported(URIError):
    """A URI names a file system whose files cannot have links."""

    code = ErrorCode.PERMISSION_DENIED
    msg = "Not supported action"
    # A backslash and a letter: how the original writes the number of the refused capability.
    cause = r"action '\a' is not supported under current fs"


class TargetError(URIError):
    """The file that a URI names could not be reached."""

    prefix = "failed to get target file: "


class ShareNotFound(TargetError):
    """A URI leads to a share, which this server does not have."""

    code = ErrorCode.NOT_FOUND
    msg = "Shared file does not exist"


class ForeignSpace(TargetError):
    """A URI leads to the space of another user."""

    code = ErrorCode.PERMISSION_DENIED
    msg = "Permission denied"


class NotOwner(URIError):
    """The user may not manage the links of the file."""

    code = ErrorCode.NOT_OWNER
    msg = "Only owner or administrator can perform this action"


class PathNotExist(TargetError):
    """``element`` is the name at which the walk along the path ended, if that is known."""

    code = ErrorCode.PATH_NOT_EXIST
    msg = "Path not exist"

    def __init__(self, *, cause: str = "ent: file not found", element: str | None = None) -> None:
        super().__init__(cause=cause)
        self.element = element
        if element is not None:
            self.prefix = f"{TargetError.prefix}failed to walk into {quote(element)}: "


class EntityNotExist(URIError):
    """No file is at the path."""

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
    """The link does not exist, to a visitor."""

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
    """The link does not open any more."""

    code = ErrorCode.GONE


class LinkExpired(LinkGone):
    """The link has expired."""

    msg = "Direct link expired"


class LinkUsedUp(LinkGone):
    """The link has had all its downloads."""

    msg = "Direct link used up"


class PasswordRequired(DirectLinksError):
    """The link has a password, and the visit came without it."""

    code = ErrorCode.LOGIN_REQUIRED
    msg = "Password required"


class WrongPassword(PasswordRequired):
    """The visit came with a wrong password."""

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
    """A site that the link does not allow sent the visitor."""

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
    """A link is visited by another method than GET and HEAD."""

    code = ErrorCode.METHOD_NOT_ALLOWED
    msg = "Method not allowed"


class NotForPreviews(DirectLinksError):
    """A link preview, which is not counted, gets no contents of a limited link."""

    code = ErrorCode.UNAVAILABLE
    msg = "This link opens for downloads only"


class TicketError(DirectLinksError):
    """A temporary content URL does not open."""


class TicketInvalid(TicketError):
    """The ticket is forged, malformed or for another link."""

    code = ErrorCode.INVALID_SIGNATURE
    msg = "invalid sign"


class TicketExpired(TicketError):
    """The ticket has expired."""

    code = ErrorCode.SIGNATURE_EXPIRED
    msg = "signature expired"


class ContentNotFound(LinkNotFound):
    """The storage does not have the content, so the link does not exist to a visitor."""


class StorageError(DirectLinksError):
    """The storage failed; this may be temporary."""


class StorageRefused(StorageError):
    """The storage refuses the request, or is misconfigured: the site must act."""

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
