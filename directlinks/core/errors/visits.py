"""Why a visitor gets no file."""

from directlinks.core.error_codes import ErrorCode
from directlinks.core.errors.base import DirectLinksError


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
