"""Delivery without a redirect: the contents straight from the link, from any storage."""

from datetime import datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.content import content_response
from directlinks.delivery.download import Download


class StreamBackend(DeliveryBackend):
    """200 or 206 from ``/f/`` itself. Revoking the link leaves nothing behind."""

    sends_content = True

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponseBase:
        return content_response(request, download)
