"""Serving of requests below ``/f/``, the core of all entry points.

Nothing here needs a middleware to have run: no session, no user, no language, no CSRF token. The
host is compared with ALLOWED_HOSTS here, for each entry point.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from directlinks import addresses, signals
from directlinks.conf import conf
from directlinks.core.errors import (
    DirectLinksError,
    InvalidParameters,
    LinkNotFound,
    LinkUnknown,
    MethodNotAllowed,
    ServiceUnavailable,
    StorageError,
)
from directlinks.core.visits import PURPOSES, VisitRequest
from directlinks.delivery.backends import backend_of_download, get_delivery_backend
from directlinks.delivery.backends.signed_url import SignedURLBackend
from directlinks.delivery.content import content_response
from directlinks.delivery.download import Download
from directlinks.delivery.headers import allow_origin
from directlinks.delivery.responses import PlainResponse
from directlinks.models import File
from directlinks.outages import is_away
from directlinks.reporting import (
    mark_as_logged,
    report,
    report_outage,
    report_storage_error,
    report_unexpected,
)
from directlinks.services.opening import (
    Opened,
    fetch_open_link,
    open_confirmed_link,
    open_direct_link,
    redeem_ticket,
)
from directlinks.services.sending import send_now
from directlinks.serving.error_responses import NEVER_STORED, error_response
from directlinks.serving.passwords import (
    check_link_password,
    check_password_by_form,
    set_password_cookies,
    submit_password,
)
from directlinks.serving.routes import Kind, Route
from directlinks.serving.site_cache import (
    cache_site,
    cached_site,
    request_key,
    scheme_of,
)
from directlinks.serving.throttling import count_attempt
from directlinks.sql.links import LinkRow

_CONTENT = File._meta.get_field("content")

METHODS = ("GET", "HEAD", "OPTIONS")

# Where META has what went wrong in the fast lane: the visit may have been counted, and so is not
# tried again.
FAULT = "directlinks.fault"


def serve_link(request: HttpRequest, route: Route) -> HttpResponseBase:
    """Return the answer to ``request`` for ``route``. Raise only unexpected errors in DEBUG."""
    response: HttpResponseBase
    try:
        response = _answer(request, route)
    except DirectLinksError as error:
        response = error_response(request, error)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(METHODS)
        if isinstance(error, StorageError):
            report_storage_error(response, error)
        else:
            _report(request, response, route, error.msg)
    except SuspiciousOperation as error:
        response = error_response(request, InvalidParameters(cause=str(error)))
        _report(request, response, route, str(error))
    except Exception as error:
        if conf.debug:  # a developer wants Django's page
            raise
        if is_away(error):
            response = error_response(request, ServiceUnavailable())
            report_outage(response, error)
        else:
            response = error_response(request, DirectLinksError())
            report_unexpected(request, response, error)
    allow_origin(request, response, METHODS)
    # Django's log would show the whole path; a 412 or 416 is what its client asked for.
    mark_as_logged(response)
    return response


def _report(request: HttpRequest, response: HttpResponse, route: Route, msg: str) -> None:
    is_link = route.kind in (Kind.OPEN, Kind.DOWNLOAD)
    place = f"directlinks:{route.kind.value}"
    report(request, response, msg, place=place, code=route.secret if is_link else None)


def _answer(request: HttpRequest, route: Route) -> HttpResponseBase:
    if (fault := request.META.pop(FAULT, None)) is not None:
        raise fault
    if cached_site(request_key(request.META, scheme_of(request))) is None:
        cache_site(request)
    if request.method == "OPTIONS":
        return _options()
    if request.method == "POST" and route.kind in (Kind.OPEN, Kind.DOWNLOAD):
        return _posted(request, route)
    if request.method not in METHODS:
        raise MethodNotAllowed
    if route.kind is Kind.UNKNOWN:
        raise LinkNotFound
    if route.kind is Kind.CONTENT:
        return _content(request, route)
    visit = visit_request_of(request.META)
    cached = _response_cache().cached_response(request, visit) if conf.CACHE_SECONDS else None
    return cached or _opened(request, route, visit)


class ResponseCache(Protocol):
    """Protocol of a cache of answers for ``CACHE_SECONDS``."""

    def cached_response(self, request: HttpRequest, visit: VisitRequest) -> HttpResponse | None:
        """Return the cached answer to ``request``, counted, or None if there is none."""

    def cache_response(self, request: HttpRequest, visit: VisitRequest, opened: Opened) -> None:
        """Cache the answer to ``request`` if the next visit may have it too."""


@cache
def _response_cache() -> ResponseCache:
    # By its path: only a site that sets CACHE_SECONDS needs what is there for speed alone.
    return cast("ResponseCache", import_module("directlinks.contrib.fastlane.response_cache"))


def _options() -> HttpResponse:
    headers = {"Allow": ", ".join(METHODS), "Content-Length": "0", **NEVER_STORED}
    return PlainResponse(200, headers).response()


def _content(request: HttpRequest, route: Route) -> HttpResponseBase:
    now = timezone.now()
    method = request.method or ""
    download = redeem_ticket(text=route.secret, name=route.name, method=method, now=now)
    backend = backend_of_download(download)
    if backend.sends_content:
        return backend.deliver(request, download, now)
    return content_response(request, download)


class _Delivery:
    """The delivery of an HttpRequest, for the service."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.now = timezone.now()
        # Where most contents lie; what is counted first and cannot be had is taken back.
        self.backend = get_delivery_backend(_CONTENT.storage)
        self.counts_first = self.backend.counts_first

    def __call__(self, download: Download) -> HttpResponseBase:
        self.backend = backend_of_download(download)
        return self.backend.deliver(self.request, download, self.now)

    def check_password(self, row: LinkRow) -> None:
        check_link_password(self.request, row, self.now)


class _ConfirmedDelivery(_Delivery):
    """To a visitor who pressed the button of a link that asks first.

    The answer to a POST always leads to another address, which a browser can load again and a
    program can resume from without asking and counting once more.
    """

    came_by_form = False

    def __call__(self, download: Download) -> HttpResponseBase:
        backend = backend_of_download(download)
        if backend.sends_content:
            return SignedURLBackend(backend.storage).deliver(self.request, download, self.now)
        return super().__call__(download)

    def check_password(self, row: LinkRow) -> None:
        self.came_by_form = check_password_by_form(self.request, row, self.now)


def _opened(request: HttpRequest, route: Route, visit: VisitRequest) -> HttpResponseBase:
    delivery = _Delivery(request)
    try:
        opened = open_direct_link(
            code=route.secret,
            name=route.name,
            visit=visit,
            attachment=route.attachment,
            now=delivery.now,
            deliver=delivery,
            check_password=delivery.check_password,
        )
    except LinkUnknown:
        _note_unknown(request)
        raise
    if conf.CACHE_SECONDS and delivery.backend.is_public:
        _response_cache().cache_response(request, visit, opened)
    return opened.answer


def _posted(request: HttpRequest, route: Route) -> HttpResponseBase:
    """Return the answer to the button of a link that asks first, or to the form of a password."""
    now = timezone.now()
    try:
        row = fetch_open_link(code=route.secret, name=route.name, now=now)
        if row.password and not row.ask_first:
            return submit_password(request, row, now)
    except DirectLinksError as error:
        send_now(signals.refused, code=route.secret, error=error)
        if isinstance(error, LinkUnknown):
            _note_unknown(request)
        raise
    if not row.ask_first:
        raise MethodNotAllowed
    return _confirmed(request, route, row)


def _confirmed(request: HttpRequest, route: Route, row: LinkRow) -> HttpResponseBase:
    delivery = _ConfirmedDelivery(request)
    answer = open_confirmed_link(
        row=row,
        visit=visit_request_of(request.META),
        own_hosts=_own_hosts(request),
        attachment=route.attachment,
        now=delivery.now,
        deliver=delivery,
        check_password=delivery.check_password,
    )
    if answer.status_code == 302:
        answer.status_code = 303  # the only redirect of which every client makes a GET
    if delivery.came_by_form:
        set_password_cookies(request, answer, row, delivery.now)
    return answer


def _own_hosts(request: HttpRequest) -> list[str]:
    """Return the hosts under which a browser may know the page of a link."""
    sites = (f"//{request.get_host()}", addresses.links_begin(request))
    return [host for site in sites if (host := urlsplit(site).hostname)]


def _note_unknown(request: HttpRequest) -> None:
    """Count a request for an unknown code. Raise TooManyAttempts beyond UNKNOWN_RATE."""
    count_attempt(conf.UNKNOWN_RATE, request, scope="unknown")


def visit_request_of(meta: Mapping[str, Any]) -> VisitRequest:
    """Return what a request with ``meta`` asks for."""
    sent = meta.get
    return VisitRequest(
        method=sent("REQUEST_METHOD", ""),
        byte_range=sent("HTTP_RANGE"),
        purposes=tuple(map(sent, PURPOSES)),
        user_agent=sent("HTTP_USER_AGENT"),
        referer=sent("HTTP_REFERER"),
    )


# A transaction around a visit would read before it writes, which SQLite refuses under load. A form
# with a password changes nothing that a stranger could want changed, and CSRF's own page would log
# the whole path.
@method_decorator([non_atomic_requests, csrf_exempt], name="dispatch")
class VisitorView(View):
    """Serves any address below ``/f/``, of the kind that its route says."""

    kind = Kind.UNKNOWN

    def dispatch(
        self, request: HttpRequest, *args: Any, secret: str = "", name: str = "", **kwargs: Any
    ) -> HttpResponseBase:
        return serve_link(request, Route(self.kind, secret, name))
