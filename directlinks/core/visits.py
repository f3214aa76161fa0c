"""What kind of look a visit is: a download, its continuation, a preview, or headers only.

Only a download counts, and it alone may use up a limited link: link previews in chats, prefetching
browsers and resumed downloads must not take a one-time link away from its reader.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from directlinks.core import ranges


class Visit(Enum):
    DOWNLOAD = "download"
    CONTINUATION = "continuation"
    PREVIEW = "preview"
    HEAD = "head"

    def counts(self, *, limited: bool) -> bool:
        """Whether this visit is counted, and on a ``limited`` link granted the bytes at all.

        A limited link counts continuations too: else a range would be a way around its limit.
        """
        return self is Visit.DOWNLOAD or (limited and self is Visit.CONTINUATION)


PREVIEW_AGENTS = (
    "bitlybot",
    "discordbot",
    "facebookexternalhit",
    "iframely",
    "linkedinbot",
    "mastodon",
    "pinterestbot",
    "skypeuripreview",
    "slackbot",
    "telegrambot",
    "twitterbot",
    "whatsapp",
)
"""User agents that fetch a link to draw its preview; a part of the name is enough."""

_PREFETCH = re.compile(r"\b(?:prefetch|prerender|preview)\b", re.IGNORECASE)


# Where a browser says in META what it wants a page for.
PURPOSES = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
NO_PURPOSES = (None,) * len(PURPOSES)


@dataclass(frozen=True, slots=True)
class Look:
    """What a request says of itself; ``purposes`` are the values of Sec-Purpose and its like.

    The ``referer`` is no part of what kind of visit it is.
    """

    method: str
    byte_range: str | None = None
    purposes: tuple[str | None, ...] = ()
    user_agent: str | None = None
    referer: str | None = field(default=None, compare=False)


def classify(look: Look, *, size: int, preview_agents: Iterable[str]) -> Visit:
    """The kind of one visit to a file of ``size`` bytes."""
    if look.method == "HEAD":
        return Visit.HEAD
    if any(_PREFETCH.search(purpose) for purpose in look.purposes if purpose):
        return Visit.PREVIEW
    agent = (look.user_agent or "").lower()
    if any(name and name.lower() in agent for name in preview_agents):
        return Visit.PREVIEW
    if ranges.select(look.byte_range, size).start > 0:
        return Visit.CONTINUATION
    return Visit.DOWNLOAD
