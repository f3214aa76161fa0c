"""Delivery by a temporary content URL of our own: the default for local files."""

import math
from datetime import datetime

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import signing
from directlinks.datetimes import seconds_of
from directlinks.delivery.base import HeadersBackend
from directlinks.delivery.download import Download
from directlinks.delivery.responses import PlainResponse, build_redirect


class SignedURLBackend(HeadersBackend):
    """302 to ``/f/t/<ticket>/<name>``, which ends with the link or after TARGET_SECONDS."""

    is_public = True

    def plain_response(self, download: Download, now: datetime, site: str) -> PlainResponse:
        asked_at = seconds_of(now)
        expires = int(asked_at) + conf.TARGET_SECONDS
        if download.until is not None:
            # The link itself is judged again, to the moment, where the ticket is redeemed.
            expires = min(expires, math.ceil(asked_at + (download.until - now).total_seconds()))
        ticket = signing.Ticket(download.link, download.attachment, download.only_headers, expires)
        text = signing.issue(
            ticket, conf.signing_keys[0], code=download.code, password=download.password
        )
        location = addresses.content_address(site, text, download.name)
        return build_redirect(location, download, expires_in=expires - asked_at, now=now)
