"""The site that a request is for, cached by the parts of the request that decide it.

Django's checks of a host, and what ``BASE_URL`` makes of it, depend on a few parts of the request
alone. They run once for each set of these.
"""

from collections.abc import Mapping
from typing import Any

from django.core.signals import setting_changed
from django.http import HttpRequest
from django.urls import get_urlconf

from directlinks import addresses
from directlinks.conf import PATHS_OF_SERVERS, conf

MOST_SITES = 1000

RequestKey = tuple[Any, ...]

_sites: dict[RequestKey, str] = {}


def request_key(meta: Mapping[str, Any], scheme: str) -> RequestKey:
    """Return all that the site's address depends on, in a request with ``meta`` by ``scheme``."""
    return (scheme, *map(meta.get, conf.site_meta_keys))


def cached_site(key: RequestKey) -> str | None:
    """Return what our own addresses begin with for ``key`` that were allowed before."""
    return _sites.get(key)


def cache_site(request: HttpRequest) -> None:
    """Check the host of ``request``, and cache its site. Raise DisallowedHost."""
    request.get_host()
    if depends_on_more(request):
        return
    if len(_sites) >= MOST_SITES:
        _sites.clear()
    _sites[request_key(request.META, scheme_of(request))] = addresses.targets_begin(request)


def depends_on_more(request: HttpRequest) -> bool:
    """Return True if the site's address depends on more of ``request`` than its key."""
    base = conf.BASE_URL
    return (
        # A site's own callable may look at anything,
        (isinstance(base, str) and "://" not in base)
        # a middleware may have chosen other routes for this request,
        or get_urlconf() not in (None, conf.root_urlconf)
        # and these servers' word for the script prefix has the path of the request in it.
        or any(name in request.META for name in PATHS_OF_SERVERS)
    )


def scheme_of(request: HttpRequest) -> str:
    """Return the scheme of the connection, before any proxy's header if the server tells."""
    return request.META.get("wsgi.url_scheme") or request.scheme or ""


def _forget(**kwargs: object) -> None:
    _sites.clear()


setting_changed.connect(_forget, dispatch_uid="directlinks.serving.site_cache")
