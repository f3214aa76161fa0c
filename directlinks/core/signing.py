"""Tickets: what a temporary content URL proves.

A ticket names one link, one disposition, one kind of request and the second at which it ends. Of
its signature one half covers these four, so that a false ticket is refused before the link is
looked up. The other half covers the code of the link and the hash of its password too, which the
ticket does not name. So it can move between domains and reveals nothing that outlives it; it ends
if the code or the password changes, and does not open a link of the same number in other tables,
as each tenant of a site may have them. Each half is an HMAC-SHA256, cut to 128 bits.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from directlinks.core.errors import TicketExpired, TicketInvalid

# Keeps these signatures apart from others that the site makes with the same secret.
_SALT = b"directlinks.core.signing.Ticket"
_TICKET = re.compile(r"([0-9]{1,19})\.([ai])([gh])\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")

_HALF = 16  # bytes


class Ticket(NamedTuple):
    """The right to one file's bytes through link number ``link``, before ``expires``.

    ``expires`` is in seconds of Unix time. A ticket with ``head_only`` gives headers, never bytes.
    """

    link: int
    attachment: bool
    head_only: bool
    expires: int


def issue(ticket: Ticket, key: bytes, *, code: str, password: str) -> str:
    """Return ``ticket`` as text for a URL, signed with ``key``.

    ``code`` is the current code of the link, and ``password`` the hash of its password.
    """
    kind = ("a" if ticket.attachment else "i") + ("h" if ticket.head_only else "g")
    claim = f"{ticket.link}.{kind}.{ticket.expires}"
    halves = _digest(claim, key)[:_HALF] + _digest(_bound(claim, code, password), key)[:_HALF]
    return f"{claim}.{_text(halves)}"


def read(text: str, keys: Sequence[bytes], *, method: str, now: float) -> Ticket:
    """Return the ticket in ``text`` if one of ``keys`` signed it and it is good for ``method``.

    It opens its link only if ``is_bound`` says so too. Raise TicketInvalid or, after the last
    second of the ticket, TicketExpired.
    """
    match = _TICKET.fullmatch(text)
    if match is None:
        raise TicketInvalid
    link, disposition, kind, expires, signature = match.groups()
    # What stands for the same bytes in another way is not the signature that was issued.
    if _text(halves := urlsafe_b64decode(f"{signature}=")) != signature:
        raise TicketInvalid
    claim = text.rpartition(".")[0]
    if not _is_one_of(halves[:_HALF], claim, keys):
        raise TicketInvalid
    ticket = Ticket(int(link), disposition == "a", kind == "h", int(expires))
    if ticket.head_only and method != "HEAD":
        raise TicketInvalid
    if ticket.expires <= now:
        raise TicketExpired
    return ticket


def is_bound(text: str, keys: Sequence[bytes], *, code: str, password: str) -> bool:
    """Return True if the ticket ``text``, which was read, is for a link with these two.

    ``code`` and ``password`` are as in ``issue``, and as the link has them now.
    """
    claim, _, signature = text.rpartition(".")
    halves = urlsafe_b64decode(f"{signature}=")
    return _is_one_of(halves[_HALF:], _bound(claim, code, password), keys)


def password_proof(link: int, expires: int, key: bytes, *, code: str, password: str) -> str:
    """Return the proof that a visitor gave the right password of ``link``, good before ``expires``.

    ``code`` and ``password`` are as in ``issue``: with others, it proves nothing.
    """
    return f"{expires}.{_text(_digest(_password_claim(link, expires, code, password), key))}"


def is_password_proof(
    text: str, link: int, keys: Sequence[bytes], *, code: str, password: str, now: float
) -> bool:
    """Return True if ``text`` proves that the right password of ``link`` was given."""
    expires, _, signature = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", expires) or int(expires) <= now:
        return False
    claim = _password_claim(link, int(expires), code, password)
    # As bytes, because a cookie may hold anything.
    given = signature.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(given, _text(_digest(claim, key)).encode()) for key in keys)


def _password_claim(link: int, expires: int, code: str, password: str) -> str:
    # A ticket begins with a number, so neither can stand for the other.
    return _bound(f"unlocked.{link}.{expires}", code, password)


def _bound(claim: str, code: str, password: str) -> str:
    # A code has no full stop, so no other code and hash are written like this.
    return f"{claim}.{code}.{password}"


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> hmac.HMAC:
    """Return the HMAC with ``key`` set up: copying it takes a third of the time of making it."""
    return hmac.new(hashlib.sha256(_SALT + key).digest(), digestmod=hashlib.sha256)


def _digest(claim: str, key: bytes) -> bytes:
    signed = _keyed(key).copy()
    signed.update(claim.encode())
    return signed.digest()


def _is_one_of(half: bytes, claim: str, keys: Sequence[bytes]) -> bool:
    return any(hmac.compare_digest(half, _digest(claim, key)[:_HALF]) for key in keys)


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
