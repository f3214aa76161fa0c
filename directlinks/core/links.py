"""The limits of a link, and the one rule that says when it opens."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal

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


Comparison = Literal["gt", "lte"]
_COMPARED: Mapping[Comparison, Callable[[Any, Any], bool]] = {"gt": operator.gt, "lte": operator.le}


@dataclass(frozen=True, slots=True)
class Closing:
    """When the value of a limit closes a link: if set, or if it ``compares`` with another value.

    That value is the present, or the column ``other`` of the same link.
    """

    state: LinkState
    compares: Comparison | None = None
    other: str | None = None

    def holds(self, link: object, value: Any, now: datetime) -> bool:
        """Return True if ``value``, the limit of ``link``, closes it at ``now``."""
        if self.compares is None or value is None:
            return bool(value)
        other = now if self.other is None else getattr(link, self.other)
        return _COMPARED[self.compares](value, other)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a link: its column, the ``empty`` value of a link without it, and what it does.

    It has a ``closing``, or a visitor must meet it each time: then the link is guarded by it.
    """

    name: str
    empty: bool | str | None
    closing: Closing | None = None

    @property
    def can_be_reached(self) -> bool:
        """True if time or visits alone close the link for good."""
        return self.closing is not None and self.closing.compares == "lte"


LIMITS = (
    Limit("not_before", None, Closing(LinkState.NOT_YET, "gt")),
    Limit("expires_at", None, Closing(LinkState.EXPIRED, "lte")),
    Limit("max_downloads", None, Closing(LinkState.USED_UP, "lte", "downloads")),
    Limit("paused", empty=False, closing=Closing(LinkState.PAUSED)),
    Limit("password", ""),
    Limit("referers", ""),
    Limit("ask_first", empty=False),
)
"""What a link is limited by, in the order in which people see it.

The conditions of the ORM and of the written statements, the fields of the API, the admin and
exports come from it. See "Adding a limit" in the documentation of the architecture.
"""

GUARDS = tuple(limit for limit in LIMITS if limit.closing is None)
REACHED = tuple(limit for limit in LIMITS if limit.can_be_reached)

_COUNTED = tuple(limit.name for limit in REACHED if limit.closing and limit.closing.other)

# Those that close a link, with what they do, in the order of LinkState: the first one decides.
CLOSINGS = tuple(
    sorted(
        ((limit.name, limit.closing) for limit in LIMITS if limit.closing is not None),
        key=lambda pair: list(LinkState).index(pair[1].state),
    )
)

# What the manager of a link may set beside its limits.
WORDS = ("label", "note")

EMPTY: Mapping[str, Any] = {
    **{limit.name: limit.empty for limit in LIMITS},
    **dict.fromkeys(WORDS, ""),
}
"""The values of a link without limits, by the fields that its manager may set."""


def state_of(
    link: object, *, now: datetime, revoked: bool, trashed: bool, owner_active: bool
) -> LinkState:
    """Return the state of ``link``, which has the columns of the limits, at ``now``.

    If several hold, it is the first in the order of LinkState.
    """
    if revoked:
        return LinkState.REVOKED
    if trashed:
        return LinkState.TRASHED
    if not owner_active:
        return LinkState.OWNER_INACTIVE
    for name, closing in CLOSINGS:
        if closing.holds(link, getattr(link, name), now):
            return closing.state
    return LinkState.ACTIVE


def has_download_limit(link: object) -> bool:
    """Return True if visits alone can close ``link``, so that each must be counted exactly."""
    return any(getattr(link, name) is not None for name in _COUNTED)


def is_guarded(link: object) -> bool:
    """Return True if a visitor of ``link`` needs more than the address."""
    return any(getattr(link, limit.name) != limit.empty for limit in GUARDS)


# The reusable link of a file has these, so that no user is given a link with another's limits.
UNLIMITED: Mapping[str, Any] = {
    **{limit.name: limit.empty for limit in LIMITS},
    "revoked_at": None,
}
