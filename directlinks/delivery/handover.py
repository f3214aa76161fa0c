"""Delivery by the web server in front: we name the file in a header, and it sends the bytes.

Ranges, conditional requests, ETag and Last-Modified are the server's then.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from django.core.checks import CheckMessage, Error
from django.core.files.storage import Storage
from django.http import BadHeaderError, HttpRequest, HttpResponse
from django.utils.http import http_date, quote_etag

from directlinks.core.errors import LinkNotFound
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.content import document_headers
from directlinks.delivery.download import Download


class AccelBackend(DeliveryBackend):
    """nginx's X-Accel-Redirect. ``location`` is the internal location that serves the storage."""

    needs_local_paths = True
    counts_first = True

    def __init__(self, storage: Storage, *, location: str = "/protected/") -> None:
        super().__init__(storage)
        self.location = location

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponse:
        # nginx undoes the quoting, without which "?" and "%" would be taken for more than a name.
        place = quote(self.location + str(download.content))
        return _handed_over(download, "X-Accel-Redirect", place)

    def check(self) -> Sequence[CheckMessage]:
        location: object = self.location  # whatever the site has written
        if isinstance(location, str) and location.startswith("/") and location.endswith("/"):
            return []
        fault = f"The location of AccelBackend, {self.location!r}, must begin and end with a slash."
        return [Error(fault, id="directlinks.E018")]


class SendfileBackend(DeliveryBackend):
    """X-Sendfile of Apache's mod_xsendfile and others; ``header`` is how yours calls it.

    With ``quoted`` the path is percent-encoded, for servers that undo that; Apache does not.
    """

    needs_local_paths = True
    counts_first = True

    def __init__(
        self, storage: Storage, *, header: str = "X-Sendfile", quoted: bool = False
    ) -> None:
        super().__init__(storage)
        self.header = header
        self.quoted = quoted

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponse:
        path = self.storage.path(str(download.content))
        # As bytes, which leave as they are: Django would make a MIME word of what is not Latin-1.
        return _handed_over(download, self.header, quote(path) if self.quoted else path.encode())


def _handed_over(download: Download, header: str, place: str | bytes) -> HttpResponse:
    """An empty answer with all headers of the document, and the one that names its place."""
    response = HttpResponse(headers=document_headers(download))
    response.headers["ETag"] = quote_etag(download.version)
    response.headers["Last-Modified"] = http_date(int(download.modified_at.timestamp()))
    try:
        response.headers[header] = place
    except BadHeaderError as error:  # a name with a line break, which no upload has
        raise LinkNotFound from error
    return response
