"""Delivery by a temporary content URL of our own: the default where files are on this machine."""

from datetime import datetime, timedelta

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import signing
from directlinks.delivery.base import HeadersBackend
from directlinks.delivery.download import Download
from directlinks.delivery.redirection import redirection
from directlinks.delivery.replies import Reply


class SignedBackend(HeadersBackend):
    """302 to ``/f/t/<ticket>/<name>``, which dies with the link or after TARGET_SECONDS."""

    same_for_all = True

    def reply(self, download: Download, now: datetime, site: str) -> Reply:
        dies_at = now + timedelta(seconds=conf.TARGET_SECONDS)
        if download.until is not None:
            dies_at = min(dies_at, download.until)
        dies_at = dies_at.replace(microsecond=0)  # a ticket counts in whole seconds
        ticket = signing.Ticket(
            link=download.link,
            attachment=download.attachment,
            head_only=download.head_only,
            expires=int(dies_at.timestamp()),
        )
        text = signing.issue(ticket, conf.signing_keys[0])
        location = addresses.content_address(site, text, download.name)
        return redirection(location, download, dies_at=dies_at, now=now)
