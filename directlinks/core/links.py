"""The limits of a link, and the one rule that says when it opens."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from directlinks.core.errors import DirectLinksError, LinkExpired, LinkNotFound, LinkUsedUp


class LinkState(Enum):
    """States of a link, in the order in which they are reported."""

    ACTIVE = "active"
    REVOKED = "revoked"
    TRASHED = "trashed"
    OWNER_INACTIVE = "owner inactive"
    PAUSED = "paused"
    NOT_YET = "not yet"
    EXPIRED = "expired"
    USED_UP = "used up"

    def refusal(self) -> DirectLinksError | None:
        """Return the error that a visitor gets instead of the file, or None if the link opens.

        Only an expired or used-up link says so. A paused, scheduled or revoked one looks like one
        that never existed.
        """
        if self is LinkState.ACTIVE:
            return None
        if self is LinkState.EXPIRED:
            return LinkExpired()
        if self is LinkState.USED_UP:
            return LinkUsedUp()
        return LinkNotFound()


def state_of(
    *,
    now: datetime,
    revoked: bool,
    trashed: bool,
    owner_active: bool,
    paused: bool,
    not_before: datetime | None,
    expires_at: datetime | None,
    downloads: int,
    max_downloads: int | None,
) -> LinkState:
    """Return the state at ``now``; if several hold, the first in the order of LinkState."""
    if revoked:
        return LinkState.REVOKED
    if trashed:
        return LinkState.TRASHED
    if not owner_active:
        return LinkState.OWNER_INACTIVE
    if paused:
        return LinkState.PAUSED
    if not_before is not None and now < not_before:
        return LinkState.NOT_YET
    if expires_at is not None and expires_at <= now:
        return LinkState.EXPIRED
    if max_downloads is not None and downloads >= max_downloads:
        return LinkState.USED_UP
    return LinkState.ACTIVE


# The reusable link of a file has these, so that no user is given a link with another's limits.
UNLIMITED: Mapping[str, Any] = {
    "not_before": None,
    "expires_at": None,
    "max_downloads": None,
    "paused": False,
    "password": "",
    "referers": "",
    "ask_first": False,
    "revoked_at": None,
}
