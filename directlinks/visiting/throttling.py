"""How often one client may fail: at finding a link, and at its password. Success is never counted.

Counted in Django's default cache, in windows of fixed length. An address is kept only as a keyed
digest, so the cache does not tell who came.
"""

import hashlib
import hmac
import time

from django.core.cache import cache
from django.http import HttpRequest

from directlinks.conf import conf
from directlinks.core import rates
from directlinks.core.errors import TooManyAttempts
from directlinks.core.networks import network_of


def refuse_after(rate: str | None, request: HttpRequest, *, scope: str) -> None:
    """Raise TooManyAttempts where this client has failed as often in ``scope`` as ``rate`` lets it.

    ``rate`` None lets it fail for ever.
    """
    if rate is None:
        return
    number, seconds = rates.parse(rate)
    if int(cache.get(_key(request, scope, seconds), 0)) >= number:
        raise TooManyAttempts(_until_next_window(seconds))


def note_failure(rate: str | None, request: HttpRequest, *, scope: str) -> None:
    """Count one failure of this client in ``scope``."""
    if rate is None:
        return
    seconds = rates.parse(rate)[1]
    key = _key(request, scope, seconds)
    # The cache may forget the key between the two; then the count begins anew.
    if not cache.add(key, 1, timeout=seconds):
        try:
            cache.incr(key)
        except ValueError:
            cache.set(key, 1, timeout=seconds)


def _until_next_window(seconds: int) -> int:
    return seconds - int(time.time()) % seconds


def _key(request: HttpRequest, scope: str, seconds: int) -> str:
    window = int(time.time()) // seconds
    facts = f"{scope} {window} {client_of(request)}".encode()
    digest = hmac.digest(conf.signing_keys[0], facts, hashlib.sha256).hex()
    return f"directlinks.failures.{digest}"


def client_of(request: HttpRequest) -> str:
    """The network of the client, as far as the site's declared number of proxies reaches.

    Without that number nobody's X-Forwarded-For is believed: a client that made it up would have a
    new identity for each attempt.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if conf.num_proxies and forwarded:
        hops = [hop.strip() for hop in forwarded.split(",")]
        address = hops[-min(conf.num_proxies, len(hops))]
    return network_of(address)
