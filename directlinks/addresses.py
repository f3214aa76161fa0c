"""The addresses of a link: the one function that links in answers, models and admin come from."""

from urllib.parse import quote, urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from directlinks.conf import conf

# The characters that the last segment of a link shows unescaped, beside letters and digits.
_NAME_BARE = "-_.~$&+:=@"


def link_path(code: str, name: str) -> str:
    """The path of a link, the site's script prefix included."""
    return _with_name(reverse("directlinks:open", args=[code, "name"]), name)


def content_path(ticket: str, name: str) -> str:
    """The path of a temporary content URL, the site's script prefix included."""
    return _with_name(reverse("directlinks:content", args=[ticket, "name"]), name)


def absolute(path: str, request: HttpRequest) -> str:
    """``path`` behind ``BASE_URL``, or behind the scheme and validated host of ``request``.

    Of several base URLs it is the one with the request's host, or else the first. Raises
    DisallowedHost where the request's host is asked for and not one of the site's.
    """
    return _base(request).rstrip("/") + path


def _base(request: HttpRequest) -> str:
    base = conf.BASE_URL
    if base is None:
        return f"{request.scheme}://{request.get_host()}"
    if isinstance(base, str):
        return base if "://" in base else str(import_string(base)(request))
    host = request.get_host()
    return next((url for url in base if urlsplit(url).netloc == host), base[0])


def _with_name(path: str, name: str) -> str:
    # reverse() would leave !'()*,; bare, and it refuses names that a route cannot spell.
    return path.rpartition("/")[0] + "/" + quote(name, safe=_NAME_BARE)
