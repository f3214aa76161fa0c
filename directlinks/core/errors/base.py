"""The root of the family."""

from directlinks.core.error_codes import ErrorCode


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
