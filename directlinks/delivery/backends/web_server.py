"""Delivery by the web server: a header names the file, and the web server sends it.

Ranges, conditional requests, ETag and Last-Modified are the server's then.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from django.core.checks import CheckMessage, Error
from django.core.files.storage import Storage

from directlinks.core.errors import LinkNotFound
from directlinks.delivery.base import HeadersBackend
from directlinks.delivery.content import edition_headers
from directlinks.delivery.download import Download
from directlinks.delivery.headers import document_headers
from directlinks.delivery.responses import PlainResponse
from directlinks.storage import is_forbidden
from directlinks.storage_errors import storage_errors


class WebServerBackend(HeadersBackend):
    """Checks what the web server is told to send: it would follow a symbolic link to any file."""

    def refuse_forbidden(self, download: Download) -> None:
        """Raise LinkNotFound if the content is no file in the folder of the storage."""
        with storage_errors():
            forbidden = is_forbidden(self.storage, str(download.content))
        if forbidden:
            raise LinkNotFound


class AccelBackend(WebServerBackend):
    """nginx's X-Accel-Redirect. ``location`` is the internal location that serves the storage."""

    needs_local_paths = True
    sends_content = True
    is_public = True

    def __init__(self, storage: Storage, *, location: str = "/protected/") -> None:
        super().__init__(storage)
        self.location = location

    def plain_response(self, download: Download, now: datetime, site: str) -> PlainResponse:
        self.refuse_forbidden(download)
        # nginx undoes the quoting, without which "?" and "%" would be taken for more than a name.
        place = quote(self.location + str(download.content))
        return _send_by_web_server(download, "X-Accel-Redirect", place)

    def check(self) -> Sequence[CheckMessage]:
        location: object = self.location  # as the site has written it
        if isinstance(location, str) and location.startswith("/") and location.endswith("/"):
            return []
        fault = f"The location of AccelBackend, {self.location!r}, must begin and end with a slash."
        return [Error(fault, id="directlinks.E018")]


class SendfileBackend(WebServerBackend):
    """X-Sendfile of Apache's mod_xsendfile and others; ``header`` is how yours calls it.

    With ``quoted`` the path is percent-encoded, for servers that undo that; Apache does not.
    """

    needs_local_paths = True
    sends_content = True
    is_public = True

    def __init__(
        self, storage: Storage, *, header: str = "X-Sendfile", quoted: bool = False
    ) -> None:
        super().__init__(storage)
        self.header = header
        self.quoted = quoted

    def plain_response(self, download: Download, now: datetime, site: str) -> PlainResponse:
        self.refuse_forbidden(download)
        path = self.storage.path(str(download.content))
        # Its bytes leave as they are: of what is not Latin-1 Django would make a MIME word.
        place = quote(path) if self.quoted else path.encode().decode("latin-1")
        handed_over = _send_by_web_server(download, self.header, place)
        # Apache's module calls every file "0" if we do not tell it how this one is called.
        with suppress(OSError, ValueError):  # the web server tells that there is none
            status = Path(path).stat()
            headers = edition_headers(download, status.st_size, status.st_mtime_ns)
            handed_over.headers.update(headers)
        return handed_over


def _send_by_web_server(download: Download, header: str, place: str) -> PlainResponse:
    """Return an empty answer with the document's headers and the one that names its place.

    Raise LinkNotFound if ``place`` has a line break, which no upload has.
    """
    if "\n" in place or "\r" in place:
        raise LinkNotFound
    headers = {
        **document_headers(download),
        "Content-Length": "0",
        header: place,
    }
    return PlainResponse(200, headers)
