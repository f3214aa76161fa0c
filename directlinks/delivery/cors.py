"""Cross-origin reading of links (the Fetch standard's CORS protocol), as the site allows it.

Never with credentials: a link needs none, and a page elsewhere must not act with the visitor's.
"""

from collections.abc import Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from directlinks.conf import conf

EXPOSED = (
    "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Last-Modified, "
    "Retry-After"
)
# What a page needs to resume a download, to look at it without taking it, and to give a password.
ALLOWED = (
    "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, "
    "X-Link-Password"
)
PREFLIGHT_SECONDS = 86_400


def allow_origin(request: HttpRequest, response: HttpResponseBase, methods: Sequence[str]) -> None:
    """Add to ``response`` what lets the page that sent ``request`` read it, if it may."""
    if conf.CORS == "off":
        return
    if conf.CORS != "*":
        # The answer depends on who asks, also where it is a refusal.
        patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin")
    if origin is None or not (conf.CORS == "*" or origin in conf.CORS):
        return
    response.headers["Access-Control-Allow-Origin"] = "*" if conf.CORS == "*" else origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = ALLOWED
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
