"""Tickets: what is altered, late, or meant for something else opens nothing."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directlinks.core.errors import TicketExpired, TicketInvalid
from directlinks.core.signing import Ticket, issue, read

KEY = b"the secret of this site"
OLD_KEY = b"the secret of last year"
FOREIGN_KEY = b"the secret of another site"
TICKET = Ticket(link=7, attachment=True, head_only=False, expires=1000)
TEXT = issue(TICKET, KEY)

TICKETS = st.builds(
    Ticket,
    link=st.integers(0, 2**63 - 1),
    attachment=st.booleans(),
    head_only=st.booleans(),
    expires=st.integers(1, 10**12 - 1),
)


@given(TICKETS, st.binary())
@settings(deadline=None)
def test_a_ticket_reads_back_as_it_was_issued(ticket: Ticket, key: bytes) -> None:
    assert read(issue(ticket, key), [key], method="HEAD", now=0) == ticket


@given(TICKETS)
@settings(deadline=None)
def test_a_ticket_is_one_segment_of_a_url(ticket: Ticket) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+", issue(ticket, KEY)) is not None


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(TEXT) | st.characters())
@settings(deadline=None)
def test_a_ticket_with_any_character_altered_is_invalid(place: int, character: str) -> None:
    other = character if character != TEXT[place] else "x" + character
    with pytest.raises(TicketInvalid):
        read(TEXT[:place] + other + TEXT[place + 1 :], [KEY], method="GET", now=0)


@given(st.integers(0, len(TEXT) - 1))
@settings(deadline=None)
def test_a_ticket_that_lacks_a_character_is_invalid(place: int) -> None:
    with pytest.raises(TicketInvalid):
        read(TEXT[:place] + TEXT[place + 1 :], [KEY], method="GET", now=0)


@given(st.integers(0, len(TEXT)), st.characters())
@settings(deadline=None)
def test_a_ticket_with_one_character_more_is_invalid(place: int, character: str) -> None:
    with pytest.raises(TicketInvalid):
        read(TEXT[:place] + character + TEXT[place:], [KEY], method="GET", now=0)


@given(st.text(st.characters()))
@settings(deadline=None)
def test_any_other_text_is_invalid(text: str) -> None:
    with pytest.raises(TicketInvalid):
        read(text, [KEY], method="GET", now=0)


@pytest.mark.parametrize(
    "other",
    [
        TICKET._replace(link=8),
        TICKET._replace(link=70),
        TICKET._replace(attachment=False),
        TICKET._replace(head_only=True),
        TICKET._replace(expires=10_000),
    ],
    ids=str,
)
def test_a_signature_is_good_for_its_own_claim_only(other: Ticket) -> None:
    claim = issue(other, KEY).rpartition(".")[0]
    signature = TEXT.rpartition(".")[2]
    with pytest.raises(TicketInvalid):
        read(f"{claim}.{signature}", [KEY], method="HEAD", now=0)


@pytest.mark.parametrize("method", ["GET", "POST", "head", ""])
def test_a_ticket_for_headers_gives_no_bytes(method: str) -> None:
    text = issue(TICKET._replace(head_only=True), KEY)
    with pytest.raises(TicketInvalid):
        read(text, [KEY], method=method, now=0)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_ticket_for_bytes_gives_headers_too(method: str) -> None:
    assert read(TEXT, [KEY], method=method, now=0) == TICKET


@pytest.mark.parametrize("now", [0, 999, 999.999])
def test_a_ticket_is_good_until_its_last_second(now: float) -> None:
    assert read(TEXT, [KEY], method="GET", now=now) == TICKET


@pytest.mark.parametrize("now", [1000, 1000.001, 10**12])
def test_a_ticket_ends_at_exactly_its_second(now: float) -> None:
    with pytest.raises(TicketExpired):
        read(TEXT, [KEY], method="GET", now=now)


def test_a_false_ticket_is_not_told_that_it_is_late() -> None:
    with pytest.raises(TicketInvalid):
        read(TEXT[:-1] + "!", [KEY], method="GET", now=2000)
    with pytest.raises(TicketInvalid):
        read(TEXT, [FOREIGN_KEY], method="GET", now=2000)


def test_a_ticket_outlives_the_rotation_of_its_key_while_the_old_one_is_a_fallback() -> None:
    old = issue(TICKET, OLD_KEY)
    assert read(old, [KEY, OLD_KEY], method="GET", now=0) == TICKET
    with pytest.raises(TicketInvalid):
        read(old, [KEY], method="GET", now=0)


@pytest.mark.parametrize("keys", [[], [FOREIGN_KEY], [b""], [KEY + b"\0"], [FOREIGN_KEY, OLD_KEY]])
def test_a_ticket_signed_with_a_foreign_key_is_invalid(keys: list[bytes]) -> None:
    with pytest.raises(TicketInvalid):
        read(TEXT, keys, method="GET", now=0)


def test_a_plain_hmac_with_the_same_secret_is_no_signature() -> None:
    """Whatever else the site signs with its secret must not open files."""
    claim = TEXT.rpartition(".")[0]
    digest = hmac.new(KEY, claim.encode(), hashlib.sha256).digest()
    signature = urlsafe_b64encode(digest).rstrip(b"=").decode()
    with pytest.raises(TicketInvalid):
        read(f"{claim}.{signature}", [KEY], method="GET", now=0)


def test_a_ticket_stays_the_same_from_release_to_release() -> None:
    """A URL that was handed out before an update works after it."""
    assert TEXT == "7.ag.1000.abYeqxBVofRfQOIuj1T4sxP0ogVEja7b5D4tv2keLv8"
