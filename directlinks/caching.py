"""The only user of Django's default cache, which may be down.

A cache that is down costs time and never an answer: limits of attempts let pass, and targets are
signed once more.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from typing import Any, TypeVar

from django.core.cache import BaseCache, cache
from django.db import connections, router, transaction

from directlinks.outages import CircuitBreaker, RateLimitedLog

Answer = TypeVar("Answer")

Cache = BaseCache

_breaker = CircuitBreaker(least=0.0, most=10.0)
_log = RateLimitedLog()


def ask(act: Callable[[Cache], Answer], otherwise: Answer) -> Answer:
    """Return what ``act`` finds in the cache, or ``otherwise`` if the cache does not work."""
    if not _breaker.allows():
        return otherwise
    started = monotonic()
    try:
        with ExitStack() as savepoints:
            _enter_savepoints(savepoints)
            answer = act(cache)
    # Each backend has exceptions of its own, and those of its driver.
    except Exception as error:  # noqa: BLE001
        _breaker.failed(monotonic() - started)
        _log.write("The cache does not work, so attempts are not limited", error)
        return otherwise
    _breaker.succeeded()
    return answer


def _enter_savepoints(stack: ExitStack) -> None:
    """Keep a cache in the database from breaking the transaction that its caller is in."""
    model: Any = getattr(cache, "cache_model_class", None)
    if model is not None:
        for using in {router.db_for_read(model), router.db_for_write(model)}:
            if connections[using].in_atomic_block:
                stack.enter_context(transaction.atomic(using))


class ForgivingCache:
    """The cache as the throttles of Django REST framework use it."""

    def get(self, key: str, default: Any = None) -> Any:
        return ask(lambda cache: cache.get(_usable(key), default), otherwise=default)

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        ask(lambda cache: cache.set(_usable(key), value, timeout), otherwise=None)

    def __getattr__(self, name: str) -> Any:
        """Return what a site's own throttle may use beside these."""
        return getattr(cache, name)


# With the prefix of a site before them, all caches take such keys.
_USABLE = re.compile("[!-~]{1,150}")


def _usable(key: str) -> str:
    """Return ``key``, or a digest of it if a cache could refuse it.

    A client may have sent a part of it, and must neither escape its limit nor pass for an outage.
    """
    if _USABLE.fullmatch(key):
        return key
    return "directlinks.key." + hashlib.sha256(key.encode(errors="replace")).hexdigest()


def is_default(other: object) -> bool:
    """Return True if ``other`` is the cache that ``ask`` asks."""
    return other is cache
