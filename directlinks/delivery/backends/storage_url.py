"""Delivery by the storage's own URL: the default for remote storages."""

import logging
import math
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error
from django.core.files.storage import Storage
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.encoding import iri_to_uri

from directlinks import caching
from directlinks.conf import PART_TO_FOLLOW, conf
from directlinks.core import content_types
from directlinks.core.errors import LinkNotFound, NotForPreviews
from directlinks.datetimes import seconds_of
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.download import Download
from directlinks.delivery.headers import disposition, document_headers
from directlinks.delivery.presigning import (
    Target,
    Wish,
    at_endpoint,
    identity_of,
    signs_at_endpoint,
    target_of,
)
from directlinks.delivery.responses import build_redirect
from directlinks.delivery.url_checks import url_faults
from directlinks.storage import has_local_paths
from directlinks.storage_errors import storage_errors

logger = logging.getLogger("directlinks")


class StorageURLBackend(DeliveryBackend):
    """302 to the URL of the storage, presigned if possible.

    That URL cannot be taken back: revoking the link ends it only when its signature does. With
    ``public_endpoint``, it begins with that address, by which visitors reach a server of S3 that
    the site reaches by another.
    """

    counts_first = True
    is_public = True

    def __init__(self, storage: Storage, public_endpoint: str | None = None) -> None:
        super().__init__(storage)
        self._public_endpoint = public_endpoint
        self._signing: Storage = (
            storage if public_endpoint is None else at_endpoint(storage, public_endpoint)
        )

    def check(self) -> Sequence[CheckMessage]:
        return self._check_endpoint() or url_faults(self._signing)

    def _check_endpoint(self) -> list[CheckMessage]:
        endpoint = self._public_endpoint
        if endpoint is None:
            return []
        if not _is_origin(endpoint):
            fault = f"public_endpoint is no address such as https://files.example.org: {endpoint!r}"
            return [Error(f'DIRECTLINKS["DELIVERY"]: {fault}.', id="directlinks.E042")]
        if signs_at_endpoint(self.storage):
            return []
        return [
            Error(
                f"public_endpoint means nothing to {type(self.storage).__name__}: only storages of "
                "S3 that have no custom_domain sign for it.",
                hint="Take it out. Azure has the option custom_domain, Google custom_endpoint.",
                id="directlinks.E043",
            )
        ]

    def deliver(self, request: HttpRequest, download: Download, now: datetime) -> HttpResponse:
        target, expires_at_seconds = self._target(download, now)
        if download.only_headers and not target.head_only:
            raise NotForPreviews
        location = iri_to_uri(target.url)
        if (fault := self._fault(location, target, download, request)) is not None:
            logger.error("Refused to redirect link %s: its target %s.", download.link, fault)
            raise LinkNotFound
        if download.head_only and target.get_only:
            return _described(download)
        expires_in = None if expires_at_seconds is None else expires_at_seconds - seconds_of(now)
        return build_redirect(location, download, expires_in=expires_in, now=now).response()

    def sign(self, name: str, wish: Wish) -> Target:
        """Return the URL that leads visitors to the content ``name``. Raise StorageError."""
        with storage_errors():
            return target_of(self._signing, name, wish)

    def _target(self, download: Download, now: datetime) -> tuple[Target, int | None]:
        """Return a target and the Unix time at which it expires, shared until shortly before that.

        Browsers and CDNs then see a stable address. A link that ends sooner gets one of its own.
        """
        seconds = conf.TARGET_SECONDS
        if download.until is not None:
            seconds = min(seconds, int((download.until - now).total_seconds()))
        name = str(download.content)
        wish = wish_for(
            name,
            content_type=download.content_type,
            shown=disposition(download.name, attachment=download.attachment),
            seconds=max(seconds, 1),
            head_only=download.only_headers,
        )
        key = self._key(download, wish) if wish.seconds == conf.TARGET_SECONDS else None
        known = None if key is None else self._known(key)
        if known is not None and known[1] > seconds_of(now):
            return known
        target = self.sign(name, wish)
        if target.seconds is None:
            # Its lifetime is unknown: the storage may have signed it in its own way.
            return target, None
        # Signatures count from a whole second.
        expires_at_seconds = int(seconds_of(now)) + target.seconds
        if key is not None:
            to_follow = math.ceil(target.seconds / PART_TO_FOLLOW)
            timeout = target.seconds - to_follow - conf.answer_cache_seconds
            caching.ask(
                lambda cache: cache.set(key, (target, expires_at_seconds), timeout), otherwise=None
            )
        return target, expires_at_seconds

    def _known(self, key: str) -> tuple[Target, int] | None:
        """Return the target that was kept as ``key``, and when it expires."""
        known: tuple[Target, int] | None
        known = caching.ask(lambda cache: cache.get(key), otherwise=None)
        return known

    def _key(self, download: Download, wish: Wish) -> str | None:
        """Return what a target is kept as, or None if it is not known what it depends on.

        Another bucket, address or key gives another, also for a cache that outlives the settings.
        """
        identity = identity_of(self._signing)
        if identity is None:
            return None
        parts = (download.storage_alias, identity, str(download.content), download.version, wish)
        digest = salted_hmac("directlinks.target", repr(parts), algorithm="sha256").hexdigest()
        return f"directlinks.target.{digest}"

    def _fault(
        self, location: str, target: Target, download: Download, request: HttpRequest
    ) -> str | None:
        """Return why visitors cannot be sent to ``location``, or None."""
        if (fault := fault_of(target)) is not None:
            return fault
        if (
            download.attachment
            and not target.overrides
            and (
                has_local_paths(self.storage)
                or urlsplit(location).hostname == urlsplit(f"//{request.get_host()}").hostname
            )
        ):
            return "would show the file on the site's own host, where it must only be saved"
        return None


def _described(download: Download) -> HttpResponse:
    """Return the answer to a HEAD whose GET leads to where a HEAD is refused.

    A client that asks before it downloads then has no address yet but the link. There is no ETag:
    it is the storage that answers the GET, with its own.
    """
    length = {"Content-Length": str(download.size), "Accept-Ranges": "bytes"}
    return HttpResponse(headers={**document_headers(download), **length})


def _is_origin(address: object) -> bool:
    """Return True if ``address`` is a scheme of HTTP with a host, and maybe a port."""
    if not isinstance(address, str) or re.search(r"[^!-~]", address):
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises if it is none
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and parts.path in ("", "/")
        and not (parts.query or parts.fragment)
    )


def wish_for(name: str, *, content_type: str, shown: str, seconds: int, head_only: bool) -> Wish:
    """Return what the URL of the content ``name`` should give; ``shown`` is its disposition."""
    return Wish(
        content_type=content_types.sendable(content_type),
        disposition=shown,
        seconds=seconds,
        head_only=head_only,
        content_encoding="identity" if content_types.implies_encoding(name) else None,
    )


def fault_of(target: Target) -> str | None:
    """Return why no visitor at all may be sent to the URL of ``target``, or None."""
    if not target.url:  # as some storages have it for a content that is gone
        return "is missing"
    try:
        parts = urlsplit(iri_to_uri(target.url))
    except ValueError:
        return "is no URL"
    if re.search(r"[\x00-\x1f\x7f]", target.url):
        return "has control characters"
    hosts = conf.REDIRECT_HOSTS
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not http(s)"
    if hosts is not None and parts.hostname not in map(str.lower, hosts):
        return f"is on {parts.hostname}, which is not one of REDIRECT_HOSTS"
    return None
