"""What the addresses of a site begin with, remembered for requests that say the same about it.

Django's checks of a host, and what ``BASE_URL`` makes of it, depend on a few facts of the request
alone. They are made once for each set of facts.
"""

from collections.abc import Mapping
from typing import Any

from django.core.signals import setting_changed
from django.http import HttpRequest

from directlinks import addresses
from directlinks.conf import conf

MOST_SITES = 1000

Facts = tuple[Any, ...]

_sites: dict[Facts, str] = {}


def facts_of(meta: Mapping[str, Any], scheme: str) -> Facts:
    """All that the address of the site depends on, in a request with ``meta``."""
    sent = meta.get
    return (
        scheme,
        sent(conf.proxy_ssl_header),
        sent("HTTP_HOST"),
        sent("HTTP_X_FORWARDED_HOST"),
        sent("HTTP_X_FORWARDED_PORT"),
        sent("SERVER_NAME"),
        sent("SERVER_PORT"),
        sent("SCRIPT_NAME"),
    )


def known_site(facts: Facts) -> str | None:
    """The scheme and host, or base URL, for ``facts`` that were allowed before."""
    return _sites.get(facts)


def remember_site(request: HttpRequest) -> None:
    """Check the host of ``request``, and remember the site. Raises DisallowedHost."""
    request.get_host()
    base = conf.BASE_URL
    if isinstance(base, str) and "://" not in base:
        return  # a site's own callable may look at anything
    if len(_sites) >= MOST_SITES:
        _sites.clear()
    _sites[facts_of(request.META, scheme_of(request))] = addresses.absolute("", request)


def scheme_of(request: HttpRequest) -> str:
    """That of the connection, before any proxy's word for it where the server tells."""
    return request.META.get("wsgi.url_scheme") or request.scheme or ""


def _forget(**kwargs: object) -> None:
    _sites.clear()


setting_changed.connect(_forget, dispatch_uid="directlinks.visiting.sites")
