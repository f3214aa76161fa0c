"""What is wrong with a request to the API as a whole."""

from directlinks.core.error_codes import ErrorCode
from directlinks.core.errors.base import DirectLinksError


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
