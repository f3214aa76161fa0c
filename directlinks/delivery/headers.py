"""Headers that answers of several kinds share."""

from functools import lru_cache
from unicodedata import category

from django.utils.http import content_disposition_header

from directlinks.core import content_types
from directlinks.core.quoting import in_order

# What a visitor fetched by a secret address is nobody else's business: not a search engine's, and
# not that of the sites that a document links to.
PRIVATE = {
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# A document from a stranger runs nothing, asks for nothing and belongs to no site.
SANDBOX = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
    ),
}


# Files are sent many times, and each character of a name has to be looked up.
@lru_cache(maxsize=4096)
def disposition(name: str, *, attachment: bool) -> str:
    """Content-Disposition for a file called ``name``.

    Characters that reorder text are left out: they can make ``exe.txt`` of ``txt.exe``. So are
    controls, which could end the header.
    """
    basename = name.rpartition("/")[2]
    shown = "".join(c for c in in_order(basename) if category(c) != "Cc")
    return content_disposition_header(attachment, shown) or "inline"


@lru_cache(maxsize=1024)
def with_charset(content_type: str) -> str:
    """``content_type`` for a header, and for text that does not say it, that it is UTF-8."""
    if not content_types.is_well_formed(content_type):
        return content_types.UNKNOWN
    if content_type.startswith("text/") and "charset" not in content_type.lower():
        return f"{content_type}; charset=utf-8"
    return content_type
