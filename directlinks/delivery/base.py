"""Base classes of delivery backends, which bring a file's contents to a visitor."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from django.core.checks import CheckMessage
from django.core.files.storage import Storage
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from directlinks import addresses
from directlinks.delivery.download import Download
from directlinks.delivery.responses import PlainResponse


class DeliveryBackend(ABC):
    """Base class of delivery backends. Name a subclass in ``DIRECTLINKS["DELIVERY"]``.

    Its OPTIONS arrive as keyword arguments. A backend does not check access, choose what is shown
    inline or quote names: callers do. One instance serves all visitors, in all threads.
    """

    #: True if it works only with local files.
    needs_local_paths: ClassVar[bool] = False

    #: Whether a visit may be counted before it is delivered, because that hardly ever fails. Else
    #: it is delivered first, and thrown away if the count refuses it.
    counts_first: ClassVar[bool] = False

    #: Whether the answer has the content of the file, or makes the web server send it, rather than
    #: leading to another address. Then temporary content URLs are delivered by it too.
    sends_content: ClassVar[bool] = False

    #: Whether every visitor is told the same, and that needs no bytes, so that a process may
    #: remember it.
    is_public: ClassVar[bool] = False

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @abstractmethod
    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponseBase:
        """Return the answer to a GET or HEAD of a link at ``now``.

        With ``counts_first`` the visit was counted already, and is taken back if this raises or
        grants nothing; else the answer is discarded if the count refuses it, so this must not send
        anything. Raise LinkNotFound if the contents are known to be gone.
        """

    def check(self) -> Sequence[CheckMessage]:
        """Return what is wrong with the options or the storage, for the system checks."""
        return []


class HeadersBackend(DeliveryBackend):
    """A backend that sends only headers, which depend on the site alone, not on the request.

    So the fast lane needs no HttpRequest for it.
    """

    counts_first = True

    @abstractmethod
    def plain_response(self, download: Download, now: datetime, site: str) -> PlainResponse:
        """Return the answer to a GET or HEAD of a link at ``now``.

        ``site`` is what our own addresses begin with: a path, unless ``BASE_URL`` is set. A status
        other than 200 and 302 grants nothing, and so is not counted. Raise LinkNotFound as
        ``deliver`` does.
        """

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponseBase:
        return self.plain_response(download, now, addresses.targets_begin(request)).response()
