"""Where a visitor is sent for the bytes."""

import logging
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.http import HttpRequest

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import signing
from directlinks.core.errors import LinkNotFound, NotForPreviews
from directlinks.delivery.download import Download
from directlinks.storage import has_local_paths

logger = logging.getLogger("directlinks")


def target(request: HttpRequest, download: Download, now: datetime) -> str:
    """The absolute http(s) URL of the bytes of ``download``, good for a while from ``now`` on.

    A storage of this machine gets a temporary content URL of ours, any other its own URL. Raises
    LinkNotFound where the storage gives no URL that may be followed, and NotForPreviews where
    only headers may be given and the storage's URL would give bytes.
    """
    if has_local_paths(download.content.storage):
        return _signed(request, download, now)
    return _own(download)


def _signed(request: HttpRequest, download: Download, now: datetime) -> str:
    dies_at = now + timedelta(seconds=conf.TARGET_SECONDS)
    if download.until is not None:
        dies_at = min(dies_at, download.until)
    ticket = signing.Ticket(
        link=download.link,
        attachment=download.attachment,
        head_only=download.head_only,
        expires=int(dies_at.timestamp()),
    )
    text = signing.issue(ticket, conf.signing_keys[0])
    return addresses.absolute(addresses.content_path(text, download.name), request)


def _own(download: Download) -> str:
    if download.head_only and download.limited:
        raise NotForPreviews
    url = download.content.storage.url(str(download.content))
    parts = urlsplit(url)
    hosts = conf.REDIRECT_HOSTS
    if parts.scheme in ("http", "https") and (hosts is None or parts.hostname in hosts):
        return url
    logger.error(
        "Refused to redirect link %s to %s://%s: not an http(s) address on REDIRECT_HOSTS.",
        download.link,
        parts.scheme,
        parts.netloc,
    )
    raise LinkNotFound
