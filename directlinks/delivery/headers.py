"""Headers that several kinds of answers share."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from unicodedata import category, normalize
from urllib.parse import quote

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from directlinks.conf import conf
from directlinks.core import content_types
from directlinks.core.paths import strip_bidi_controls
from directlinks.delivery.download import Download

# Every answer below /f/ has these. What a visitor fetches by a secret address does not concern
# search engines, nor the sites that a document links to.
PRIVATE = {
    # What a visit gets may depend on both, if it fails: so all answers of an address say so.
    "Vary": "Accept, Accept-Language",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# A document from a stranger runs nothing, asks for nothing and belongs to no site.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

# What the browser's own viewer of a type needs, if a link is opened by itself. In a sandbox players
# are dead, and PDF stays blank; none of these types can run something.
_VIEWERS = {
    "image": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
    "audio": "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'",
    "video": "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'",
}
_PDF_VIEWER = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"


def security_policy(content_type: str, *, attachment: bool) -> str:
    """Return Content-Security-Policy for a document of ``content_type``."""
    essence = content_type.partition(";")[0].strip().lower()
    # In SVG and its like there may be scripts.
    if attachment or essence.endswith("xml"):
        return SANDBOX
    if essence == "application/pdf":
        return _PDF_VIEWER
    return _VIEWERS.get(essence.partition("/")[0], SANDBOX)


# What some clients misread in a quoted name (RFC 6266, appendix D), and what is not ASCII.
_MISREAD = re.compile(r"[^ -~]+|[\"\\/]|%(?=[0-9A-Fa-f]{2})")
_WORD = re.compile("[0-9A-Za-z]")


# Files are sent many times, and each character of a name has to be looked up.
@lru_cache(maxsize=4096)
def disposition(name: str, *, attachment: bool) -> str:
    """Return Content-Disposition for a file called ``name`` (RFC 6266).

    Characters that reorder text are left out: they can make ``exe.txt`` of ``txt.exe``. So are
    controls, which could end the header. If every client reads the name alike in ``filename``,
    that is all; else ``filename`` is a substitute in ASCII, and ``filename*`` is the name.
    """
    kind = "attachment" if attachment else "inline"
    basename = name.rpartition("/")[2]
    shown = "".join(c for c in strip_bidi_controls(basename) if category(c) != "Cc")
    if not shown:
        return kind
    if _MISREAD.search(shown) is None:
        return f'{kind}; filename="{shown}"'
    return f"{kind}; filename=\"{_substitute(shown)}\"; filename*=utf-8''{quote(shown, safe='')}"


def _substitute(name: str) -> str:
    """Return ``name`` in ASCII: accents are dropped, and what has no letter in ASCII is ``_``."""
    base = "".join(c for c in normalize("NFKD", name) if category(c) != "Mn")
    stem, dot, extension = _MISREAD.sub("_", base).rpartition(".")
    if not dot:
        stem, extension = extension, ""
    if not _WORD.search(stem):
        stem = "file"
    return f"{stem}.{extension}" if _WORD.search(extension) else stem


def document_headers(download: Download) -> Mapping[str, str]:
    """Return the headers of each answer with the bytes of ``download``, by any sender."""
    return _document_headers(
        download.name,
        download.content_type,
        attachment=download.attachment,
        is_public=download.is_public,
    )


# Files are sent many times.
@lru_cache(maxsize=4096)
def _document_headers(
    name: str, content_type: str, *, attachment: bool, is_public: bool
) -> Mapping[str, str]:
    return {
        **PRIVATE,
        # Revoking the link must reach those who have seen it, so a cache has to ask again; what a
        # limited or guarded link gave to one must not be there for another.
        "Cache-Control": "private, no-cache" if is_public else "private, no-store",
        "Content-Disposition": disposition(name, attachment=attachment),
        "Content-Security-Policy": security_policy(content_type, attachment=attachment),
        "Content-Type": content_types.sendable(content_type),
    }


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
        # The answer depends on who asks, even if it is a refusal.
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
