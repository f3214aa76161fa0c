"""The 302 that leads from a link to the bytes, and for how long it may be kept."""

from datetime import datetime

from directlinks.conf import conf
from directlinks.delivery.download import Download
from directlinks.delivery.headers import PRIVATE
from directlinks.delivery.replies import Reply


def redirection(
    location: str, download: Download, *, dies_in: float | None, now: datetime
) -> Reply:
    """A redirect to ``location``, which is good for ``dies_in`` seconds, None for ever."""
    headers = {
        "Location": location,
        # A bare 302 without a length costs dearly on some servers.
        "Content-Length": "0",
        "Cache-Control": _cache_control(download, dies_in, now),
        **PRIVATE,
    }
    return Reply(302, headers)


def _cache_control(download: Download, dies_in: float | None, now: datetime) -> str:
    """Never beyond the life of the target, of the link, or what the site allows.

    A process that remembers the answer gives it out as it is for up to CACHE_SECONDS. A link
    that is limited or guarded is not kept at all: every visit must be judged.
    """
    if download.head_only or not download.is_public or not conf.REDIRECT_MAX_AGE:
        return "private, no-store"
    lives: list[float] = [conf.REDIRECT_MAX_AGE]
    if dies_in is not None:
        lives.append(dies_in - conf.remembered_seconds)
    if download.until is not None:
        lives.append((download.until - now).total_seconds())
    seconds = int(min(lives))
    return f"public, max-age={seconds}" if seconds > 0 else "private, no-store"
