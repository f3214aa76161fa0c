"""Delivery by the web server in front: we name the file in a header, and it sends the bytes.

Ranges, conditional requests, ETag and Last-Modified are the server's then.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from django.core.checks import CheckMessage, Error
from django.core.files.storage import Storage
from django.http import HttpRequest, HttpResponse

from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.content import document_headers
from directlinks.delivery.download import Download


class AccelBackend(DeliveryBackend):
    """nginx's X-Accel-Redirect. ``location`` is the internal location that serves the storage."""

    needs_local_paths = True

    def __init__(self, storage: Storage, *, location: str = "/protected/") -> None:
        super().__init__(storage)
        self.location = location

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponse:
        return _handed_over(download, "X-Accel-Redirect", self.location + str(download.content))

    def check(self) -> Sequence[CheckMessage]:
        if self.location.startswith("/") and self.location.endswith("/"):
            return []
        fault = f"The location of AccelBackend, {self.location!r}, must begin and end with a slash."
        return [Error(fault, id="directlinks.E018")]


class SendfileBackend(DeliveryBackend):
    """X-Sendfile of Apache's mod_xsendfile and others; ``header`` is how yours calls it."""

    needs_local_paths = True

    def __init__(self, storage: Storage, *, header: str = "X-Sendfile") -> None:
        super().__init__(storage)
        self.header = header

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponse:
        return _handed_over(download, self.header, self.storage.path(str(download.content)))


def _handed_over(download: Download, header: str, place: str) -> HttpResponse:
    """An empty answer with all headers of the document, and the one that names its place.

    The servers undo the quoting; without it a name could not leave ASCII, or could end the header.
    """
    return HttpResponse(headers={**document_headers(download), header: quote(place)})
