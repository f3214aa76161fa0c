"""Addresses of links: answers, models and the admin get them here."""

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, urlsplit

from django.http import HttpRequest
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.module_loading import import_string

from directlinks.conf import conf

# The characters that the last segment of a link shows unescaped, beside letters and digits.
_NAME_BARE = "-_.~$&+:=@"
_BARE = re.compile(r"[A-Za-z0-9\-_.~$&+:=@]*")


def link_path(code: str, name: str) -> str:
    """Return the path of a link, including the site's script prefix."""
    return f"{_prefix()}{code}/{_quoted(name)}"


def links_at(request: HttpRequest) -> Callable[[str, str], str]:
    """Return a function that makes a link's absolute address from its code and name.

    What all addresses begin with is found once for ``request``. Raise what ``absolute`` raises.
    """
    beginning = links_begin(request)
    return lambda code, name: f"{beginning}{code}/{_quoted(name)}"


def links_begin(request: HttpRequest) -> str:
    """Return what absolute addresses of links begin with. Raise what ``absolute`` raises."""
    return absolute(_prefix(), request)


def targets_begin(request: HttpRequest) -> str:
    """Return what temporary content URLs begin with in a redirect that answers ``request``.

    Without ``BASE_URL`` it is a path, so no cache can give the host that one request claims to
    other visitors. Raise what ``absolute`` raises.
    """
    return _prefix() if conf.BASE_URL is None else links_begin(request)


def link_folders(code: str) -> tuple[str, str]:
    """Return the paths below which a link is: to be opened, and to be saved."""
    return f"{_prefix()}{code}/", f"{_prefix()}d/{code}/"


def content_address(site: str, ticket: str, name: str) -> str:
    """Return the temporary content URL for ``ticket``; ``site`` is what it begins with."""
    return f"{site}t/{ticket}/{_quoted(name)}"


def link_prefix() -> str | None:
    """Return what the paths of all links begin with, usually ``/f/``, without the script prefix.

    This is for code in front of all middleware, which may choose other routes. Return None if the
    site has not included ``directlinks.urls``.
    """
    return None if conf.root_urlconf is None else _bare_prefix_in(conf.root_urlconf)


def absolute(path: str, request: HttpRequest) -> str:
    """Return ``path`` behind ``BASE_URL``, or behind the scheme and host of ``request``.

    Of several base URLs, use the one with the request's host, or else the first. Raise
    DisallowedHost if the request's host is needed and is not in ALLOWED_HOSTS.
    """
    return _base(request).rstrip("/") + path


def site_address(path: str) -> str:
    """Return ``path`` behind the first ``BASE_URL``, for code without a request.

    Return ``path`` alone if the address depends on the request.
    """
    base = conf.BASE_URL
    if isinstance(base, list | tuple):
        base = base[0]
    return base.rstrip("/") + path if base is not None and "://" in base else path


def _base(request: HttpRequest) -> str:
    base = conf.BASE_URL
    if base is None:
        return f"{request.scheme}://{request.get_host()}"
    if isinstance(base, str):
        return base if "://" in base else str(import_string(base)(request))
    host = request.get_host()
    return next((url for url in base if urlsplit(url).netloc == host), base[0])


def _prefix() -> str:
    return _prefix_in(get_urlconf() or conf.root_urlconf, get_script_prefix())


# Django's reverse() costs as much as the rest of a visit, and its answer stays the same.
@lru_cache(maxsize=64)
def _prefix_in(urlconf: str | None, script_prefix: str) -> str:
    return reverse("directlinks:open", urlconf, args=["code", "name"]).removesuffix("code/name")


@lru_cache(maxsize=64)
def _bare_prefix_in(urlconf: str) -> str | None:
    try:
        return "/" + _prefix_in(urlconf, get_script_prefix()).removeprefix(get_script_prefix())
    except NoReverseMatch:
        return None


def _quoted(name: str) -> str:
    # reverse() would leave !'()*,; bare, and it refuses names that a route cannot spell.
    return name if _BARE.fullmatch(name) else quote(name, safe=_NAME_BARE)
