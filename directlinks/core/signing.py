"""Tickets: what a temporary content URL proves.

A ticket names one link, one disposition, one kind of request and the second at which it ends,
under an HMAC-SHA256 of the four. It names no host, no path and no code, so it can move between
domains, and whoever sees it learns nothing that outlives it.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from directlinks.core.errors import TicketExpired, TicketInvalid

# Keeps these signatures apart from whatever else the site signs with the same secret.
_SALT = b"directlinks.core.signing.Ticket"
_TICKET = re.compile(r"([0-9]{1,19})\.([ai])([gh])\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


class Ticket(NamedTuple):
    """The right to one file's bytes through link number ``link``, before ``expires``.

    ``expires`` is in seconds of Unix time. A ticket with ``head_only`` gives headers, never bytes.
    """

    link: int
    attachment: bool
    head_only: bool
    expires: int


def issue(ticket: Ticket, key: bytes) -> str:
    """``ticket`` as the text that stands in a URL, signed with ``key``."""
    kind = ("a" if ticket.attachment else "i") + ("h" if ticket.head_only else "g")
    claim = f"{ticket.link}.{kind}.{ticket.expires}"
    return f"{claim}.{_signature(claim, key)}"


def read(text: str, keys: Sequence[bytes], *, method: str, now: float) -> Ticket:
    """The ticket in ``text``, if one of ``keys`` signed it and it is good for ``method``.

    Raises TicketInvalid or, after its last second, TicketExpired.
    """
    match = _TICKET.fullmatch(text)
    if match is None:
        raise TicketInvalid
    link, disposition, kind, expires, signature = match.groups()
    claim = text.rpartition(".")[0]
    if not any(hmac.compare_digest(signature, _signature(claim, key)) for key in keys):
        raise TicketInvalid
    ticket = Ticket(int(link), disposition == "a", kind == "h", int(expires))
    if ticket.head_only and method != "HEAD":
        raise TicketInvalid
    if ticket.expires <= now:
        raise TicketExpired
    return ticket


def unlocking(link: int, password: str, expires: int, key: bytes) -> str:
    """What a visitor keeps who gave the right password of ``link``, before ``expires``.

    ``password`` is the hash that the link has: with another password, this proves nothing.
    """
    return f"{expires}.{_signature(_unlocked(link, password, expires), key)}"


def is_unlocked(text: str, link: int, password: str, keys: Sequence[bytes], *, now: float) -> bool:
    """Whether ``text`` proves that the right password of ``link`` was given."""
    expires, _, signature = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", expires) or int(expires) <= now:
        return False
    claim = _unlocked(link, password, int(expires))
    # As bytes, because a cookie may hold anything.
    given = signature.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(given, _signature(claim, key).encode()) for key in keys)


def _unlocked(link: int, password: str, expires: int) -> str:
    # A ticket begins with a number, so neither can stand for the other.
    return f"unlocked.{link}.{expires}.{password}"


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> hmac.HMAC:
    """The beginning of every signature with ``key``: to copy it takes a third of making it."""
    return hmac.new(hashlib.sha256(_SALT + key).digest(), digestmod=hashlib.sha256)


def _signature(claim: str, key: bytes) -> str:
    signed = _keyed(key).copy()
    signed.update(claim.encode())
    return urlsafe_b64encode(signed.digest()).rstrip(b"=").decode()
