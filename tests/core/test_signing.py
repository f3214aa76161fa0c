"""Tickets: what is altered, late, or meant for something else opens nothing."""

import hashlib
import hmac
import re
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directlinks.core import signing
from directlinks.core.errors import TicketExpired, TicketInvalid
from directlinks.core.signing import Ticket, is_bound, is_password_proof, password_proof

KEY = b"the secret of this site"
OLD_KEY = b"the secret of last year"
FOREIGN_KEY = b"the secret of another site"
CODE = "abcdEFGH"
HASH = "pbkdf2_sha256$1000$salt$c29tZSBkaWdlc3Q="
TICKET = Ticket(link=7, attachment=True, head_only=False, expires=1000)


def issue(ticket: Ticket, key: bytes, *, code: str = CODE, password: str = "") -> str:
    """A ticket of a link with ``code``, without a password if none is given."""
    return signing.issue(ticket, key, code=code, password=password)


def read(
    text: str,
    keys: Sequence[bytes],
    *,
    method: str,
    now: float,
    code: str = CODE,
    password: str = "",
) -> Ticket:
    """The ticket in ``text``, if it is for a link with ``code`` and ``password``."""
    ticket = signing.read(text, keys, method=method, now=now)
    if not is_bound(text, keys, code=code, password=password):
        raise TicketInvalid
    return ticket


TEXT = issue(TICKET, KEY)


def test_another_spelling_of_a_signature_is_not_the_one_that_was_issued() -> None:
    digits = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    # The last digit has two bits that stand for nothing.
    other = TEXT[:-1] + digits[digits.index(TEXT[-1]) + 1]
    same, signature = (text.rpartition(".")[2] + "=" for text in (TEXT, other))
    assert urlsafe_b64decode(same) == urlsafe_b64decode(signature)
    with pytest.raises(TicketInvalid):
        read(other, [KEY], method="GET", now=0)


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
def test_a_false_ticket_is_told_before_its_link_is_known(ticket: Ticket) -> None:
    text = issue(ticket, KEY, code="its own code", password=HASH)
    assert signing.read(text, [KEY], method="HEAD", now=0) == ticket
    with pytest.raises(TicketInvalid):
        signing.read(text, [FOREIGN_KEY], method="HEAD", now=0)


@pytest.mark.parametrize(
    ("now_code", "now_hash"),
    [
        ("abcdEFGh", ""),
        (CODE, HASH),
        (CODE + "1", ""),
        ("", CODE),
        ("", ""),
        # as a claim would read if nothing stood between the two
        (f"{CODE}.", ""),
    ],
)
def test_a_ticket_ends_with_the_code_and_the_password_of_its_link(
    now_code: str, now_hash: str
) -> None:
    with pytest.raises(TicketInvalid):
        read(TEXT, [KEY], method="GET", now=0, code=now_code, password=now_hash)


@pytest.mark.parametrize("now_hash", ["", HASH + "=", HASH.replace("salt", "pepper")])
def test_another_password_or_none_is_not_the_one_of_the_ticket(now_hash: str) -> None:
    text = issue(TICKET, KEY, password=HASH)
    assert read(text, [KEY], method="GET", now=0, password=HASH) == TICKET
    with pytest.raises(TicketInvalid):
        read(text, [KEY], method="GET", now=0, password=now_hash)


@pytest.mark.parametrize(
    ("changes", "proves"),
    [
        ({}, True),
        ({"link": 8}, False),
        ({"code": "abcdEFGh"}, False),
        ({"password": HASH + "="}, False),
        ({"keys": [FOREIGN_KEY]}, False),
        ({"keys": [FOREIGN_KEY, KEY]}, True),
        ({"now": 1000}, False),
    ],
)
def test_the_proof_of_a_password_is_bound_as_a_ticket_is(
    changes: dict[str, Any], proves: bool
) -> None:
    text = password_proof(7, 1000, KEY, code=CODE, password=HASH)
    now = {"link": 7, "keys": [KEY], "code": CODE, "password": HASH, "now": 999, **changes}
    assert is_password_proof(text, **now) is proves


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
    assert TEXT == "7.ag.1000.abYeqxBVofRfQOIuj1T4s_bspek9IUzM93e164FcDkc"
