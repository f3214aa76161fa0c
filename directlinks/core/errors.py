"""Every error that directlinks raises on purpose, each with its number beside it.

::

    DirectLinksError                  -1     anything that has no number of its own
    ├── InvalidParameters          40001     the request has the wrong shape
    │   └── UnknownURI             40001     a text that is no file URI
    ├── LoginRequired                401
    ├── InvalidToken               40020
    ├── IncorrectCredentials       40080
    ├── AccountNotActivated        40018
    ├── LinksSwitchedOff           40007     the site lets nobody create links
    ├── TooManyURIs                40014     more URIs than a user may send at once
    ├── BatchAboveCeiling          40074     more URIs than the site accepts at all
    ├── URIError                             one URI that cannot have a link
    │   ├── UnknownFileSystem         -1
    │   ├── ActionNotSupported       403
    │   ├── NotOwner               40082
    │   ├── EntityNotExist         40077
    │   └── TargetError                      the file that it names was not reached
    │       ├── ShareNotFound        404
    │       ├── ForeignSpace         403
    │       └── PathNotExist       40016
    ├── LinkNotFound                 404     to a visitor
    │   └── NotYourLink              404     to somebody who would manage the link
    ├── LinkGone                     410
    │   ├── LinkExpired              410
    │   └── LinkUsedUp               410
    ├── MethodNotAllowed             405     a link is only read
    ├── NotForPreviews               503     no bytes for a look that is not counted
    └── TicketError                          a temporary content URL that is not honoured
        ├── TicketInvalid          40071
        └── TicketExpired          40005

Raise them anywhere; the API and the visitor's views translate them once, into an envelope.
"""

from directlinks.core.error_codes import ErrorCode
from directlinks.core.quoting import quoted


class DirectLinksError(Exception):
    """The root of the family.

    ``msg`` is what a client reads, ``cause`` what lies beneath it, and ``text`` the two in one
    sentence behind ``prefix``, which says what was being attempted.
    """

    code = ErrorCode.UNKNOWN
    msg = ""
    cause = ""
    prefix = ""

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


class URIError(DirectLinksError):
    """One URI of a batch cannot have a link; the others go on."""


class UnknownFileSystem(URIError):
    def __init__(self, fs: str) -> None:
        super().__init__(cause=f"unknown file system {quoted(fs)}")
        self.fs = fs
        self.args = (fs,)


class ActionNotSupported(URIError):
    code = ErrorCode.PERMISSION_DENIED
    msg = "Not supported action"
    # The control character is the number of the refused capability, as the protocol prints it.
    cause = "action '\a' is not supported under current fs"


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
            self.prefix = f"{TargetError.prefix}failed to walk into {quoted(element)}: "


class EntityNotExist(URIError):
    code = ErrorCode.ENTITY_NOT_EXIST
    msg = "Entity not exist"


class LinkNotFound(DirectLinksError):
    code = ErrorCode.NOT_FOUND
    msg = "direct link not found"


class NotYourLink(LinkNotFound):
    """There is no such link, or whoever asks may not know that there is."""

    msg = "Direct link not found"


class LinkGone(DirectLinksError):
    code = ErrorCode.GONE


class LinkExpired(LinkGone):
    msg = "Direct link expired"


class LinkUsedUp(LinkGone):
    msg = "Direct link used up"


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
