"""Requests that a client may send again without doing anything twice."""

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from directlinks.conf import conf
from directlinks.core.errors import KeyReused
from directlinks.models import IdempotentRequest

_TRIES = 3


def once(answer: Callable[[], str], *, user: Any, key: str, request: bytes, now: datetime) -> str:
    """What ``answer`` gives for ``request``, or gave when ``user`` sent it with ``key`` before.

    A key is good for a day. The row that claims it is written first, in the transaction in which
    ``answer`` works: of two who come at once the second waits for the first, and after a crash
    nothing is left, neither of the claim nor of the work. An ``answer`` that raises leaves nothing
    either. Raises KeyReused where the key came with another request.
    """
    tries = _TRIES
    while True:
        tries -= 1
        try:
            with IdempotentRequest.objects.atomic():
                claim = IdempotentRequest.objects.create(
                    user=user, key=key, digest=_digests(request)[0], created_at=now
                )
                claim.answer = answer()
                claim.save(update_fields=["answer"])
                return str(claim.answer)
        except DatabaseError:
            # The key is taken; or a deadlock, or a file that vanished, has undone the transaction.
            if (kept := _kept(user, key, request, now)) is not None:
                return kept
            if not tries:
                raise


def _kept(user: Any, key: str, request: bytes, now: datetime) -> str | None:
    """The answer that was given before; None where there is none that counts."""
    IdempotentRequest.objects.filter(user=user).outdated(now).delete()
    known = IdempotentRequest.objects.filter(user=user, key=key).first()
    if known is None:
        return None
    if known.digest not in _digests(request):
        raise KeyReused
    return str(known.answer)


def _digests(request: bytes) -> list[str]:
    """By each secret of the site, the current one first.

    Without a secret, a password in the request could be guessed from the digest.
    """
    own = b"directlinks.services.repeating"
    return [hmac.digest(own + key, request, "sha256").hex() for key in conf.signing_keys]
