"""Headers that answers of several kinds share."""

import re
from functools import lru_cache
from unicodedata import category, normalize
from urllib.parse import quote

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
    shown = "".join(c for c in in_order(basename) if category(c) != "Cc")
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
