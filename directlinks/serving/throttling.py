"""Throttling of failed attempts to find a link or give its password.

Success is not counted. Guesses at one password are also limited for all clients together. Attempts
are counted in Django's default cache, in windows of fixed length, and not while that is down. An
address is stored only as a keyed digest, so the cache does not tell who came.
"""

import ipaddress
import re
import time
from contextlib import suppress
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from directlinks import caching
from directlinks.conf import conf
from directlinks.core import validators
from directlinks.core.errors import TooManyAttempts

# Some proxies write the port behind it, and an IPv6 address in brackets then.
_WITH_PORT = re.compile(r"\[(?P<v6>[^]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")


def network_of(address: str) -> str:
    """Return the network of the client at ``address``, any text, with or without a port.

    A client with one IPv6 address has all of its /64. An IPv4 address that came over a socket for
    both is that IPv4 address (RFC 4291, section 2.5.5.2).
    """
    if with_port := _WITH_PORT.fullmatch(address):
        address = with_port["v6"] or with_port["v4"]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))


# How many clients' worth of wrong guesses at one password all clients may make together.
CLIENTS_AT_ONCE = 10
REMEMBERED_SECONDS = 12 * 3600


class Attempt(NamedTuple):
    """Where the cache has the number of attempts of one kind, and for how many seconds."""

    key: str
    seconds: int


def count_attempt(rate: str | None, request: HttpRequest, *, scope: str) -> Attempt | None:
    """Count one attempt of this client in ``scope``; what succeeds is to be taken back.

    Raise TooManyAttempts if it is one more than ``rate`` allows; None allows any number, and so
    does a cache that is down.
    """
    if rate is None:
        return None
    number, seconds = validators.parse_rate(rate)
    return _noted(number, seconds, f"{scope} {client_of(request)}")


def count_guess(rate: str | None, request: HttpRequest, *, scope: str) -> list[Attempt | None]:
    """Count one attempt of this client in ``scope``, and of all clients together.

    A client that guessed right before is bound by its own number alone, so that attackers cannot
    shut it out. Raise TooManyAttempts.
    """
    if rate is None:
        return []
    own = count_attempt(rate, request, scope=scope)
    known = _known(request, scope)
    if caching.ask(lambda cache: cache.get(known), otherwise=None):
        return [own]
    number, seconds = validators.parse_rate(rate)
    try:
        return [own, _noted(number * CLIENTS_AT_ONCE, seconds, f"{scope} all")]
    except TooManyAttempts:
        undo_attempt(own)
        raise


def accept_guess(attempts: list[Attempt | None], request: HttpRequest, *, scope: str) -> None:
    """Take back ``attempts`` of this client, and remember it."""
    for attempt in attempts:
        undo_attempt(attempt)
    if attempts:
        known = _known(request, scope)
        caching.ask(lambda cache: cache.set(known, 1, timeout=REMEMBERED_SECONDS), otherwise=None)


def _noted(number: int, seconds: int, identity: str) -> Attempt | None:
    attempt = Attempt(_key(f"{int(time.time()) // seconds} {identity}"), seconds)
    counted = caching.ask(lambda cache: _counted(cache, attempt), otherwise=None)
    if counted is None:
        return None
    if counted > number:
        # Nothing was tried, so it must not stand in the way of others that turn out right.
        undo_attempt(attempt)
        raise TooManyAttempts(_until_next_window(seconds))
    return attempt


def undo_attempt(attempt: Attempt | None) -> None:
    """Take back ``attempt``."""
    if attempt is not None:
        caching.ask(lambda cache: _uncount(cache, attempt), otherwise=None)


def _uncount(cache: caching.Cache, attempt: Attempt) -> None:
    with suppress(ValueError):  # the cache may have forgotten it
        _add(cache, attempt, -1)


def _counted(cache: caching.Cache, attempt: Attempt) -> int:
    """Return the number of attempts of this kind in this window, including this one."""
    cache.add(attempt.key, 0, timeout=attempt.seconds)
    try:
        return _add(cache, attempt, 1)
    except ValueError:  # the cache forgot the key between the two: the count begins anew
        cache.set(attempt.key, 1, timeout=attempt.seconds)
        return 1


def _add(cache: caching.Cache, attempt: Attempt, times: int) -> int:
    number: int = cache.incr(attempt.key, times)
    cache.touch(attempt.key, attempt.seconds)  # some caches forget the timeout when they count
    return number


def _until_next_window(seconds: int) -> int:
    return seconds - int(time.time()) % seconds


def _known(request: HttpRequest, scope: str) -> str:
    return _key(f"known {scope} {client_of(request)}")


def _key(identity: str) -> str:
    digest = salted_hmac("directlinks.attempts", identity, algorithm="sha256").hexdigest()
    return f"directlinks.attempts.{digest}"


def client_of(request: HttpRequest) -> str:
    """Return the network of the client, as far as the declared number of proxies reaches.

    Without that number X-Forwarded-For is ignored: a client could invent a new identity for each
    attempt.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if conf.num_proxies and forwarded:
        hops = [hop.strip() for hop in forwarded.split(",")]
        address = hops[-min(conf.num_proxies, len(hops))]
    return network_of(address)
