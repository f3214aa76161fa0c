"""What kind of visit a request is: a download, its continuation, a probe, a preview, or a HEAD.

Only a download counts, and it alone may use up a limited link: link previews in chats, prefetching
browsers and resumed downloads must not take a one-time link away from its reader.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

_LONGEST_HEADER = 128
_ONE_RANGE = re.compile(
    r"bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The bytes ``start`` to ``stop`` (exclusive) of ``size``, and the status that says so."""

    status: int
    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str | None:
        """The Content-Range header of a 206 or 416."""
        if self.status == 206:
            return f"bytes {self.start}-{self.stop - 1}/{self.size}"
        if self.status == 416:
            return f"bytes */{self.size}"
        return None


def select_range(header: str | None, size: int) -> Selection:
    """Return what the Range ``header`` selects of a file of ``size`` bytes."""
    whole = Selection(200, 0, size, size)
    if header is None or size == 0 or len(header) > _LONGEST_HEADER:
        return whole
    match = _ONE_RANGE.fullmatch(header)
    if match is None:
        return whole
    first, last, suffix = match.groups()
    if suffix is not None:
        start, stop = max(size - int(suffix), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return whole
    if start >= size:
        return Selection(416, size, size, size)
    return Selection(206, start, stop, size)


def if_range_matches(if_range: str | None, *, etag: str, last_modified: str) -> bool:
    """Return True if a Range may be honoured under ``If-Range`` (RFC 9110, section 13.1.5).

    ``etag`` is the strong entity tag and ``last_modified`` the date, each as its header shows it. A
    client echoes one of the two; anything else means that it holds part of another content.
    """
    return if_range is None or if_range.strip() in (etag, last_modified)


class VisitKind(Enum):
    """Kinds of visits."""

    DOWNLOAD = "download"
    CONTINUATION = "continuation"
    PROBE = "probe"
    PREVIEW = "preview"
    HEAD = "head"

    def counts(self, *, limited: bool) -> bool:
        """Return True if this visit is counted, and on a ``limited`` link granted content at all.

        A limited link counts continuations and probes too, or a range would be a way around its
        limit: the answer to either may be an address that gives the whole file. Refusing them as
        previews are refused would keep players that begin with a probe from ever opening the link.
        """
        return self is VisitKind.DOWNLOAD or (
            limited and self in (VisitKind.CONTINUATION, VisitKind.PROBE)
        )


PREVIEW_AGENTS = (
    "akkoma",
    "apis-google",
    "bingpreview",
    "bluesky cardyb",
    "embedly",
    "facebookcatalog",
    "facebookexternalhit",
    "flipboardproxy",
    "google web preview",
    "google-inspectiontool",
    "google-pagerenderer",
    "google.com/+/web/snippet",
    "googleimageproxy",
    "iframely",
    "kakaotalk-scrap",
    "lemmy/",
    "line-poker",
    "link preview",
    "linkpreview",
    "mastodon",
    "matrix-media-repo",
    "mediapartners-google",
    "meta-externalagent",
    "meta-externalfetcher",
    "microsoftpreview",
    "misskey/",
    "onebox",
    "pleroma",
    "safari/537.36 rocket.chat/",
    "slack-imgproxy",
    "slurp",
    "synapse/",
    "tumblr/",
    "unfurl",
    "uripreview",
    "urlpreview",
    "viber",
    "vkshare",
    "whatsapp",
    "yahoomailproxy",
)
"""User agents that fetch a link to draw its preview; a part of the name is enough.

Some are long enough to tell the server of a chat from its own app, whose users download. Signal
fetches previews as WhatsApp. Names that end in "bot" need no entry.
"""

# Crawlers name themselves, here in lower case: by "bot", "crawler" or "spider" at the end of a
# word, or by the address of a page about them behind other words of a comment. Cubot makes phones,
# and podcast players put their address into a comment of its own.
_CRAWLER = re.compile(r"(?<!\bcu)bot(?![a-z])|(?:crawler|spider)(?![a-z])|; ?\+https?://")

# What players send before they play, to see whether the server answers ranges.
_LONGEST_PROBE = 2

_PREFETCH = re.compile(r"\b(?:prefetch|prerender|preview)\b", re.IGNORECASE)


# Where a browser says in META what it wants a page for.
PURPOSES = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
NO_PURPOSES = (None,) * len(PURPOSES)


@dataclass(frozen=True, slots=True)
class VisitRequest:
    """What a request says of itself; ``purposes`` are the values of Sec-Purpose and its like.

    The ``referer`` is no part of what kind of visit it is.
    """

    method: str
    byte_range: str | None = None
    purposes: tuple[str | None, ...] = ()
    user_agent: str | None = None
    referer: str | None = field(default=None, compare=False)


def classify(visit: VisitRequest, *, size: int, preview_agents: Iterable[str]) -> VisitKind:
    """Return the kind of one visit to a file of ``size`` bytes."""
    if visit.method == "HEAD":
        return VisitKind.HEAD
    if any(_PREFETCH.search(purpose) for purpose in visit.purposes if purpose):
        return VisitKind.PREVIEW
    agent = (visit.user_agent or "").lower()
    if any(name and name.lower() in agent for name in preview_agents) or _CRAWLER.search(agent):
        return VisitKind.PREVIEW
    selection = select_range(visit.byte_range, size)
    if selection.status == 206 and selection.length <= _LONGEST_PROBE and selection.length < size:
        return VisitKind.PROBE
    if selection.start > 0:
        return VisitKind.CONTINUATION
    return VisitKind.DOWNLOAD
