"""Revoking direct links, for good: a code is never issued again."""

from datetime import datetime

from directlinks.core import codes
from directlinks.core.errors import InvalidParameters, NotYourLink
from directlinks.models import DirectLink


def find_direct_link(code: str) -> DirectLink:
    """The link with this code that was not revoked, with its file; it may be paused or expired.

    Raises InvalidParameters where ``code`` is no code at all, else NotYourLink.
    """
    if not codes.is_well_formed(code):
        raise InvalidParameters("Failed to parse object ID")
    found = DirectLink.objects.select_related("file").filter(code=code, revoked_at=None)
    link: DirectLink | None = found.first()
    if link is None or link.code != code:
        raise NotYourLink
    return link


def revoke_direct_link(link: DirectLink, *, now: datetime) -> None:
    """Revoke ``link``. Raises NotYourLink where somebody else was quicker."""
    if not DirectLink.objects.filter(pk=link.pk).revoke(now):
        raise NotYourLink
