"""The sites whose pages may lead to a link: one host on each line of a text.

This keeps other sites from spending this site's bandwidth. It is no access control: a browser sends
a Referer only if it, and the page, want to (Referrer Policy, section 3).
"""

import re
from urllib.parse import urlsplit

MAX_CHARACTERS = 10_000
"""Of all hosts of a link together, which each visit reads."""

_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*"
)


def hosts(text: str) -> list[str]:
    """Return the hosts in ``text``, lower case, in the order of its lines."""
    return [line.strip().lower() for line in text.splitlines() if line.strip()]


def fault(text: str) -> str | None:
    """Return the first line of ``text`` that is no host name, or None. IDNs must be Punycode."""
    return next((host for host in hosts(text) if not _HOST.fullmatch(host)), None)


def allows(text: str, referer: str | None) -> bool:
    """Return True if a visitor sent by ``referer``, an absolute URL, may follow the link.

    ``text`` is the link's list. If it lists no host, all visitors may; else a visitor without a
    ``Referer`` may not. A host allows its subdomains.
    """
    allowed = hosts(text)
    if not allowed:
        return True
    host = host_of(referer)
    return any(host == one or host.endswith(f".{one}") for one in allowed)


def host_of(referer: str | None) -> str:
    """Return the host of ``referer`` in lower case, "" if it names none."""
    try:
        return urlsplit(referer or "").hostname or ""
    except ValueError:
        return ""
