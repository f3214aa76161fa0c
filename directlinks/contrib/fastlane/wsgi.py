"""WSGI application that answers for links, and calls another one for the rest."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, get_path_info
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.contrib.fastlane.driver import get_driver_link_queries
from directlinks.contrib.fastlane.response_cache import (
    Answer,
    cache_answer,
    cached_answer,
    count_visit,
)
from directlinks.core.errors import DirectLinksError, LinkNotFound, StorageError
from directlinks.core.visits import PURPOSES
from directlinks.counters.base import get_counter
from directlinks.delivery.backends import backend_of_download, get_delivery_backend
from directlinks.delivery.backends.stream import StreamBackend
from directlinks.delivery.base import DeliveryBackend, HeadersBackend
from directlinks.delivery.content import whole_content
from directlinks.delivery.download import Download
from directlinks.delivery.responses import PlainResponse
from directlinks.models import DirectLink, File
from directlinks.services.opening import (
    can_claim,
    claim,
    count,
    deliver_counted,
    describe,
    fetch_open_link,
    is_download,
    redeem_ticket,
)
from directlinks.services.sending import send_now
from directlinks.serving.routes import Kind, Route, link_at, prefix_in_front, route_of, ticket_at
from directlinks.serving.site_cache import RequestKey, cached_site, request_key
from directlinks.serving.views import FAULT, serve_link
from directlinks.sql.links import ClaimedLink

Environ = dict[str, Any]

_CONDITIONS = (
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
)


def wants_all(environ: Environ) -> bool:
    """Return True if a plain visit asks for the whole file, without any condition."""
    return not any(map(environ.__contains__, _CONDITIONS))


def redeemed(ticket: str, name: str, now: datetime) -> PlainResponse | None:
    """Return the file that a GET with ``ticket`` gets, or None if it gets none.

    Raise StorageError if its storage fails.
    """
    try:
        download = redeem_ticket(
            text=ticket, name=name, method="GET", now=now, queries=get_driver_link_queries()
        )
        backend = backend_of_download(download)
        is_sent_by_us = not backend.sends_content or _streams(backend)
        return whole_content(download) if is_sent_by_us else None
    except StorageError:  # asking once more may take as long as a time-out
        raise
    except DirectLinksError:
        return None


def streamed(code: str, name: str, now: datetime, *, saving: bool) -> PlainResponse | None:
    """Return the file behind a link for a plain visit, counted, or None if more is to be asked.

    Raise StorageError if its storage fails, and then the visit is not counted.
    """
    try:
        if (claimed := claim(code, name, now, get_driver_link_queries())) is not None:
            return deliver_counted(claimed, _whole_content, now=now, attachment=saving)[0]
        return None if can_claim() else _found_and_counted(code, name, now, saving=saving)
    except StorageError as error:
        send_now(signals.refused, code=code, error=error)
        raise
    except DirectLinksError:
        return None


def _found_and_counted(
    code: str, name: str, now: datetime, *, saving: bool
) -> PlainResponse | None:
    """Do the same if no single statement can claim a link."""
    row = fetch_open_link(code=code, name=name, now=now, queries=get_driver_link_queries())
    if row.is_guarded:
        return None
    reply = _whole_content(describe(row, attachment=saving, head_only=False))
    is_counted = False
    try:
        is_counted = count(row, now)
    finally:
        if not is_counted and reply.body is not None:
            reply.body.close()
    if not is_counted:
        return None
    send_now(signals.opened, link=row.link_id, at=now)
    return reply


def _whole_content(download: Download) -> PlainResponse:
    """Return the answer with the file. Raise LinkNotFound if its storage is delivered otherwise."""
    if not _streams(backend_of_download(download)):
        raise LinkNotFound  # in another storage than most: not counted here
    return whole_content(download)


def _streams(backend: DeliveryBackend) -> bool:
    return type(backend).deliver is StreamBackend.deliver


_CONTENT = File._meta.get_field("content")


def quick_reply(environ: Environ, prefix: str) -> PlainResponse | None:
    """Return the answer to a plain visit, counted, or None for all other requests.

    The path begins with ``prefix``, as the paths of all links do.
    """
    if conf.CORS != "off" or conf.debug or not _is_plain(environ):
        return None
    key = request_key(environ, environ["wsgi.url_scheme"])
    if conf.CACHE_SECONDS and (answer := cached_answer(environ, key)) is not None:
        return _remembered(answer)
    site = cached_site(key)
    if site is None:
        return None
    path = environ["PATH_INFO"]
    rest = (path if path.isascii() else get_path_info(environ)).removeprefix(prefix)
    try:
        return _found(environ, rest, key, site)
    finally:
        _end_of_request()


def _remembered(answer: Answer) -> PlainResponse | None:
    try:
        return answer.response if count_visit(answer) else None
    finally:
        if get_counter().in_database:
            _end_of_request()


def _found(environ: Environ, rest: str, key: RequestKey, site: str) -> PlainResponse | None:
    now = timezone.now()
    backend = get_delivery_backend(_CONTENT.storage)
    # A backend of the site's own may look at the request.
    deliver = type(backend).deliver
    if (ticket := ticket_at(rest)) is not None:
        return redeemed(*ticket, now) if wants_all(environ) else None
    if (wanted := link_at(rest)) is None:
        return None
    saving, code, name = wanted
    if deliver is StreamBackend.deliver:
        return streamed(code, name, now, saving=saving) if wants_all(environ) else None
    if (
        deliver is not HeadersBackend.deliver
        or (claimed := claim(code, name, now, get_driver_link_queries())) is None
    ):
        return None
    reply, is_public = _delivered(claimed, site, now, saving=saving)
    if reply is not None and is_public and conf.CACHE_SECONDS:
        cache_answer(environ, key, claimed, reply)
    return reply


def _is_plain(environ: Environ) -> bool:
    """Return True if the request is a download of any file."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "HTTP_RANGE" not in environ
        and not any(map(environ.__contains__, PURPOSES))
        and is_download(environ.get("HTTP_USER_AGENT"))
    )


def _delivered(
    claimed: ClaimedLink, site: str, now: datetime, *, saving: bool
) -> tuple[PlainResponse | None, bool]:
    """Return the answer, or None if the view must give it, and if all visitors get the same."""
    is_public = False

    def deliver(download: Download) -> PlainResponse:
        nonlocal is_public
        backend = backend_of_download(download)
        if type(backend).deliver is not HeadersBackend.deliver:
            raise LinkNotFound  # in another storage than most: not counted here
        is_public = backend.is_public
        return cast("HeadersBackend", backend).plain_response(download, now, site)

    try:
        reply, granted = deliver_counted(claimed, deliver, now=now, attachment=saving)
    except DirectLinksError:  # the long way finds it too, and says what it means
        return None, False
    return (reply if granted else None), is_public


def _end_of_request() -> None:
    """Do for connections what Django does after each request.

    Only for ours, unless receivers of signals may use others.
    """
    ours = connections[DirectLink.objects.db]
    used = connections.all(initialized_only=True) if signals.opened.receivers else [ours]
    for connection in used:
        if not connection.in_atomic_block:  # that of a test, which goes on
            connection.close_if_unusable_or_obsolete()


_status_line = lru_cache(lambda status_code: f"{status_code} {HTTPStatus(status_code).phrase}")


class DirectLinksWSGI(WSGIHandler):
    """Any WSGI ``application``, with links answered in front of it.

    The way from environ to request and from response to bytes is Django's own.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        super().__init__()
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        # WSGI has the bytes of a path as Latin-1, and so must be what it is compared with.
        prefix = prefix_in_front()
        if prefix is None or not environ.get("PATH_INFO", "").startswith(_as_in_environ(prefix)):
            return self.application(environ, start_response)
        try:
            reply = quick_reply(environ, prefix)
        except Exception as fault:  # noqa: BLE001  # raised again where it is answered
            environ[FAULT] = fault
            reply = None
        if reply is None:
            return super().__call__(environ, start_response)
        start_response(_status_line(reply.status_code), list(reply.headers.items()))
        if reply.body is None:
            return []
        return reply.body.sent_by(environ)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django's
        """Load no middleware: the whole chain is the view that all entry points share."""
        self._middleware_chain = convert_exception_to_response(_resolved)


def _resolved(request: HttpRequest) -> HttpResponseBase:
    return serve_link(request, route_of(request.path_info) or Route(Kind.UNKNOWN))


def _as_in_environ(path: str) -> str:
    return path if path.isascii() else path.encode().decode("latin-1")
