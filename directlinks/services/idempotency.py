"""Requests that a client may send again without doing anything twice."""

import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.utils.crypto import salted_hmac

from directlinks.conf import conf
from directlinks.core.errors import InvalidParameters, KeyReused
from directlinks.models import IdempotentRequest
from directlinks.querysets import retry_on_conflict

# Of an answer, compressed: that of a batch of a thousand usual names takes a third of it.
MOST_BYTES = 256 * 1024


def run_once(
    answer: Callable[[], str], *, user: Any, key: str, request: bytes, now: datetime
) -> str:
    """Return what ``answer`` gives for ``request``, or gave when ``user`` sent ``key`` before.

    A key is good for a day. The row that claims it is written first, in the transaction in which
    ``answer`` works: of two who come at once the second waits for the first, and after a crash
    nothing is left, neither of the claim nor of the work. An ``answer`` that raises leaves nothing
    either. Raise KeyReused if the key came with another request, and InvalidParameters if the
    answer takes more than MOST_BYTES: if it were not kept, a repetition would make links twice.
    """
    # Each request with a key removes the old keys of its user, so they do not pile up.
    IdempotentRequest.objects.filter(user=user).outdated(now).delete()

    def attempt() -> str:
        try:
            with IdempotentRequest.objects.atomic():
                claim = IdempotentRequest.objects.create(
                    user=user, key=key, digest=_digests(request)[0], created_at=now
                )
                text = answer()
                claim.answer = zlib.compress(text.encode())
                if len(claim.answer) > MOST_BYTES:
                    raise InvalidParameters(
                        "Idempotency-Key: The answer is too long to be kept. Send fewer URIs."
                    )
                claim.save(update_fields=["answer"])
                return text
        except DatabaseError:
            # The key is taken; or a deadlock, or a file that vanished, has undone the transaction.
            if (kept := _kept(user, key, request)) is not None:
                return kept
            raise

    return retry_on_conflict(attempt, DatabaseError)


def _kept(user: Any, key: str, request: bytes) -> str | None:
    """Return the answer that was given before, None if there is none."""
    known = IdempotentRequest.objects.filter(user=user, key=key).first()
    if known is None:
        return None
    if known.digest not in _digests(request):
        raise KeyReused
    return zlib.decompress(known.answer).decode()


def _digests(request: bytes) -> list[str]:
    """Return the digest of ``request`` by each secret key of the site, the current one first.

    Without a secret, a password in the request could be guessed from the digest.
    """
    return [
        salted_hmac("directlinks.idempotency", request, key, algorithm="sha256").hexdigest()
        for key in conf.signing_keys
    ]
