"""When a link opens, and what a visitor is told if it does not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import TypedDict

import pytest

from directlinks.core.errors import DirectLinksError, LinkExpired, LinkNotFound, LinkUsedUp
from directlinks.core.links import LinkState, state_of

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class Facts(TypedDict, total=False):
    now: datetime
    revoked: bool
    trashed: bool
    owner_active: bool
    paused: bool
    not_before: datetime | None
    expires_at: datetime | None
    downloads: int
    max_downloads: int | None


# What makes a link be in each state, each alone.
REASONS: dict[LinkState, Facts] = {
    LinkState.REVOKED: {"revoked": True},
    LinkState.TRASHED: {"trashed": True},
    LinkState.OWNER_INACTIVE: {"owner_active": False},
    LinkState.PAUSED: {"paused": True},
    LinkState.NOT_YET: {"not_before": NOW + TICK},
    LinkState.EXPIRED: {"expires_at": NOW},
    LinkState.USED_UP: {"max_downloads": 0},
}


def judged(*facts: Facts) -> LinkState:
    """The state of a link without limits, changed by ``facts``."""
    link: Facts = {
        "now": NOW,
        "revoked": False,
        "trashed": False,
        "owner_active": True,
        "paused": False,
        "not_before": None,
        "expires_at": None,
        "downloads": 0,
        "max_downloads": None,
    }
    for some in facts:
        link.update(some)
    return state_of(
        SimpleNamespace(**link),
        now=link["now"],
        revoked=link["revoked"],
        trashed=link["trashed"],
        owner_active=link["owner_active"],
    )


def test_every_state_but_active_has_a_reason() -> None:
    assert [LinkState.ACTIVE, *REASONS] == list(LinkState)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, LinkState.ACTIVE),
        ({"revoked": True}, LinkState.REVOKED),
        ({"trashed": True}, LinkState.TRASHED),
        ({"owner_active": False}, LinkState.OWNER_INACTIVE),
        ({"paused": True}, LinkState.PAUSED),
        ({"not_before": NOW - TICK}, LinkState.ACTIVE),
        ({"not_before": NOW}, LinkState.ACTIVE),
        ({"not_before": NOW + TICK}, LinkState.NOT_YET),
        ({"expires_at": NOW + TICK}, LinkState.ACTIVE),
        ({"expires_at": NOW}, LinkState.EXPIRED),
        ({"expires_at": NOW - TICK}, LinkState.EXPIRED),
        ({"not_before": NOW, "expires_at": NOW}, LinkState.EXPIRED),
        ({"downloads": 10**9}, LinkState.ACTIVE),
        ({"downloads": 0, "max_downloads": 1}, LinkState.ACTIVE),
        ({"downloads": 1, "max_downloads": 1}, LinkState.USED_UP),
        ({"downloads": 2, "max_downloads": 1}, LinkState.USED_UP),
        ({"downloads": 0, "max_downloads": 0}, LinkState.USED_UP),
    ],
)
def test_a_link_is_judged(facts: Facts, state: LinkState) -> None:
    assert judged(facts) == state


@pytest.mark.parametrize("count", range(1, 8))
def test_of_several_states_the_first_in_order_holds(count: int) -> None:
    for states in combinations(REASONS, count):
        assert judged(*(REASONS[state] for state in states)) == states[0]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (LinkState.REVOKED, LinkNotFound),
        (LinkState.TRASHED, LinkNotFound),
        (LinkState.OWNER_INACTIVE, LinkNotFound),
        (LinkState.PAUSED, LinkNotFound),
        (LinkState.NOT_YET, LinkNotFound),
        (LinkState.EXPIRED, LinkExpired),
        (LinkState.USED_UP, LinkUsedUp),
    ],
)
def test_a_closed_link_is_refused(
    state: LinkState, refusal: Callable[[], DirectLinksError]
) -> None:
    assert type(state.refusal()) is refusal


def test_an_active_link_is_not_refused() -> None:
    assert LinkState.ACTIVE.refusal() is None


def test_what_may_come_back_looks_like_what_never_was() -> None:
    hidden = [LinkState.REVOKED, LinkState.TRASHED, LinkState.PAUSED, LinkState.NOT_YET]
    assert {str(state.refusal()) for state in hidden} == {str(LinkNotFound())}
