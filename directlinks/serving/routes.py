"""Parsing of paths below ``/f/`` by the same rule as the routes in ``urls.py``.

The entry points in front of Django's routing need it. ``/f/<code>/<name>`` opens a link,
``/f/d/<code>/<name>`` saves its file, and ``/f/t/<ticket>/<name>`` are its contents.
"""

import re
from dataclasses import dataclass
from enum import Enum

from directlinks.addresses import link_prefix
from directlinks.conf import conf
from directlinks.core import codes
from directlinks.core.codes import BEHIND


class Kind(Enum):
    """Kinds of addresses below ``/f/``."""

    OPEN = "open"
    DOWNLOAD = "download"
    CONTENT = "content"
    UNKNOWN = "not-found"


@dataclass(frozen=True, slots=True)
class Route:
    """``secret`` is a code, or a ticket if the kind is CONTENT; "" if it is UNKNOWN.

    ``name`` is as it was asked for, with a final slash and what else stands behind it.
    """

    kind: Kind
    secret: str = ""
    name: str = ""

    @property
    def attachment(self) -> bool:
        return self.kind is Kind.DOWNLOAD


_BEHIND = re.escape("".join(sorted(BEHIND)))
NAME = rf"[^/]+(?:/[{_BEHIND}]*)?"

# The order is that of the routes. "d" and "t" are too short to be codes.
_SHAPES = [
    (Kind.CONTENT, re.compile(rf"t/([^/]+)/({NAME})")),
    (Kind.DOWNLOAD, re.compile(rf"d/([^/]+)/({NAME})")),
    (Kind.OPEN, re.compile(rf"([^/]+)/({NAME})")),
]


# The same once more for the fast lane, which every visit takes: each is one pattern that knows a
# code and what a plain name does not have.
_LINK = re.compile(rf"(d/)?({codes.PATTERN})/([^/\0]+)")
_TICKET = re.compile(r"t/([^/]+)/([^/\0]+)")


def ticket_at(rest: str) -> tuple[str, str] | None:
    """Return the ticket and the name in the temporary content URL ``rest``, or None."""
    match = _TICKET.fullmatch(rest)
    return None if match is None else (match[1], match[2])


def link_at(rest: str) -> tuple[bool, str, str] | None:
    """Return if the link that ``rest`` asks for is to be saved, its code and its name.

    Return None if ``parse`` says that it is no link, if no link can be found by it, or if the name
    has a slash behind it.
    """
    if (match := _LINK.fullmatch(rest)) is None:
        return None
    saving, code, name = match.groups()
    return saving is not None, code, name


def parse(rest: str) -> Route:
    """Return the route of ``rest``, the path behind ``/f/`` with its escapes undone."""
    for kind, shape in _SHAPES:
        if (match := shape.fullmatch(rest)) is not None:
            return Route(kind, match[1], match[2])
    return Route(Kind.UNKNOWN)


def prefix_in_front() -> str | None:
    """Return what the paths of links begin with, for a door in front of the site's middleware.

    None if links are left to the view, as for tenants: only the site's middleware knows whose link
    is asked for, and the connection may still serve another tenant.
    """
    return None if conf.serves_tenants else link_prefix()


def route_of(path_info: str) -> Route | None:
    """Return the route of ``path_info``, or None if it is not below ``/f/``."""
    prefix = prefix_in_front()
    if prefix is None or not path_info.startswith(prefix):
        return None
    return parse(path_info.removeprefix(prefix))
