"""The 302 that leads from a link to the bytes, and for how long it may be kept."""

from datetime import datetime

from directlinks.conf import conf
from directlinks.delivery.download import Download
from directlinks.delivery.headers import PRIVATE
from directlinks.delivery.replies import Reply


def redirection(
    location: str, download: Download, *, dies_at: datetime | None, now: datetime
) -> Reply:
    """A redirect to ``location``, which is good until ``dies_at``, None for ever."""
    headers = {
        "Location": location,
        # A bare 302 without a length costs dearly on some servers.
        "Content-Length": "0",
        "Cache-Control": _cache_control(download, dies_at, now),
        **PRIVATE,
    }
    return Reply(302, headers)


def _cache_control(download: Download, dies_at: datetime | None, now: datetime) -> str:
    """Never beyond the life of the target, of the link, or what the site allows.

    A link that is limited or guarded is not kept at all: every visit must be judged.
    """
    if download.head_only or not download.is_public or not conf.REDIRECT_MAX_AGE:
        return "private, no-store"
    ends = [end for end in (dies_at, download.until) if end is not None]
    seconds = min([conf.REDIRECT_MAX_AGE, *(int((end - now).total_seconds()) for end in ends)])
    return f"public, max-age={seconds}" if seconds > 0 else "private, no-store"
