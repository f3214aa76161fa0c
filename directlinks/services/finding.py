"""Finding a link by its code, for the user who manages it."""

from directlinks.core import codes
from directlinks.core.errors import InvalidParameters, NotYourLink
from directlinks.models import DirectLink

NO_CODE = "Failed to parse object ID"
"""What the protocol says of a text that cannot be a code."""


def find_direct_link(code: str, *, may_lag: bool = False) -> DirectLink:
    """The link with this code that was not revoked, with its file; it may be paused or expired.

    It is read where it can be written, or, where it ``may_lag``, wherever the site reads. Raises
    InvalidParameters where ``code`` is no code at all, else NotYourLink.
    """
    if not codes.is_well_formed(code):
        raise InvalidParameters(NO_CODE)
    links = DirectLink.objects.with_file().filter(code=code, revoked_at=None)
    link: DirectLink | None = (links.may_lag() if may_lag else links).first()
    if link is None or link.code != code:
        raise NotYourLink
    return link
