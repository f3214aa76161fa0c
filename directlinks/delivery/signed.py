"""Delivery by a temporary content URL of our own: the default where files are on this machine."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import signing
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.download import Download
from directlinks.delivery.redirection import redirection, redirection_headers


class SignedBackend(DeliveryBackend):
    """302 to ``/f/t/<ticket>/<name>``, which dies with the link or after TARGET_SECONDS."""

    counts_first = True
    same_for_all = True

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponse:
        return redirection(self.headers(addresses.absolute("", request), download, now))

    def headers(self, site: str, download: Download, now: datetime) -> dict[str, str]:
        """Those of the answer; the target begins with ``site``, a scheme and a host."""
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
        location = site + addresses.content_path(text, download.name)
        return redirection_headers(location, download, dies_at=dies_at, now=now)
