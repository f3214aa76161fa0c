"""The one core behind all doors: a request for an address below ``/f/`` in, its answer out.

Nothing here needs a middleware to have run: no session, no user, no language, no CSRF token. The
host is compared with ALLOWED_HOSTS here, whichever door it came through.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

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
from directlinks.core.routes import Kind, Route
from directlinks.core.visits import PURPOSES, Look
from directlinks.delivery.choice import backend_for, backend_of
from directlinks.delivery.content import content_response
from directlinks.delivery.cors import allow_origin
from directlinks.delivery.download import Download
from directlinks.delivery.replies import Reply
from directlinks.delivery.signed import SignedBackend
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
    find_open_link,
    open_confirmed_link,
    open_direct_link,
    redeem_ticket,
)
from directlinks.services.sending import send_now
from directlinks.sql.links import LinkRow
from directlinks.visiting import memory
from directlinks.visiting.failures import NEVER_STORED, failure
from directlinks.visiting.sites import facts_of, known_site, remember_site, scheme_of
from directlinks.visiting.throttling import note_attempt
from directlinks.visiting.unlocking import (
    check_unlocked,
    check_unlocked_by_form,
    keep_unlocked,
    unlock,
)

_CONTENT = File._meta.get_field("content")

METHODS = ("GET", "HEAD", "OPTIONS")

# Where META has what went wrong in the fast lane: the visit may have been counted, and so is not
# tried again.
FAULT = "directlinks.fault"


def resolve(request: HttpRequest, route: Route) -> HttpResponseBase:
    """The answer to ``request`` for ``route``. Raises nothing, but unexpected errors in DEBUG."""
    response: HttpResponseBase
    try:
        response = _answer(request, route)
    except DirectLinksError as error:
        response = failure(request, error)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(METHODS)
        if isinstance(error, StorageError):
            report_storage_error(response, error)
        else:
            _report(request, response, route, error.msg)
    except SuspiciousOperation as error:
        response = failure(request, InvalidParameters(cause=str(error)))
        _report(request, response, route, str(error))
    except Exception as error:
        if conf.debug:  # a developer wants Django's page
            raise
        if is_away(error):
            response = failure(request, ServiceUnavailable())
            report_outage(response, error)
        else:
            response = failure(request, DirectLinksError())
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
    if known_site(facts_of(request.META, scheme_of(request))) is None:
        remember_site(request)
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
    look = look_of(request.META)
    return memory.recalled(request, look) or _opened(request, route, look)


def _options() -> HttpResponse:
    headers = {"Allow": ", ".join(METHODS), "Content-Length": "0", **NEVER_STORED}
    return Reply(200, headers).response()


def _content(request: HttpRequest, route: Route) -> HttpResponseBase:
    now = timezone.now()
    method = request.method or ""
    download = redeem_ticket(text=route.secret, name=route.name, method=method, now=now)
    backend = backend_of(download)
    if backend.sends_content:
        return backend.deliver(request, download, now)
    return content_response(request, download)


class _Delivery:
    """What the service asks of a door, which alone knows the request."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.now = timezone.now()
        # Where most contents lie; what is counted first and cannot be had is taken back.
        self.backend = backend_for(_CONTENT.storage)
        self.counts_first = self.backend.counts_first

    def __call__(self, download: Download) -> HttpResponseBase:
        self.backend = backend_of(download)
        return self.backend.deliver(self.request, download, self.now)

    def unlock(self, row: LinkRow) -> None:
        check_unlocked(self.request, row, self.now)


class _ConfirmedDelivery(_Delivery):
    """To a visitor who pressed the button of a link that asks first.

    The answer to a POST always leads to another address, which a browser can load again and a
    program can resume from without asking and counting once more.
    """

    is_unlocked_by_form = False

    def __call__(self, download: Download) -> HttpResponseBase:
        backend = backend_of(download)
        if backend.sends_content:
            return SignedBackend(backend.storage).deliver(self.request, download, self.now)
        return super().__call__(download)

    def unlock(self, row: LinkRow) -> None:
        self.is_unlocked_by_form = check_unlocked_by_form(self.request, row, self.now)


def _opened(request: HttpRequest, route: Route, look: Look) -> HttpResponseBase:
    delivery = _Delivery(request)
    try:
        opened = open_direct_link(
            code=route.secret,
            name=route.name,
            look=look,
            attachment=route.attachment,
            now=delivery.now,
            deliver=delivery,
            unlock=delivery.unlock,
        )
    except LinkUnknown:
        _note_unknown(request)
        raise
    if delivery.backend.same_for_all:
        memory.remember(request, look, opened)
    return opened.answer


def _posted(request: HttpRequest, route: Route) -> HttpResponseBase:
    """Return the answer to the button of a link that asks first, or to the form of a password."""
    now = timezone.now()
    try:
        row = find_open_link(code=route.secret, name=route.name, now=now)
        if row.password and not row.ask_first:
            return unlock(request, row, now)
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
        look=look_of(request.META),
        own_hosts=_own_hosts(request),
        attachment=route.attachment,
        now=delivery.now,
        deliver=delivery,
        unlock=delivery.unlock,
    )
    if answer.status_code == 302:
        answer.status_code = 303  # the only redirect of which every client makes a GET
    if delivery.is_unlocked_by_form:
        keep_unlocked(request, answer, row, delivery.now)
    return answer


def _own_hosts(request: HttpRequest) -> list[str]:
    """Return the hosts under which a browser may know the page of a link."""
    sites = (f"//{request.get_host()}", addresses.links_begin(request))
    return [host for site in sites if (host := urlsplit(site).hostname)]


def _note_unknown(request: HttpRequest) -> None:
    """Count a request for an unknown code. Raise TooManyAttempts beyond UNKNOWN_RATE."""
    note_attempt(conf.UNKNOWN_RATE, request, scope="unknown")


def look_of(meta: Mapping[str, Any]) -> Look:
    """What the request with ``meta`` says of itself."""
    sent = meta.get
    return Look(
        method=sent("REQUEST_METHOD", ""),
        byte_range=sent("HTTP_RANGE"),
        purposes=tuple(map(sent, PURPOSES)),
        user_agent=sent("HTTP_USER_AGENT"),
        referer=sent("HTTP_REFERER"),
    )
