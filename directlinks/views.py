"""The visitor's door: ``/f/<code>/<name>`` and the temporary content URLs that it leads to."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from directlinks.conf import conf
from directlinks.core import envelope
from directlinks.core.errors import (
    DirectLinksError,
    InvalidParameters,
    LinkGone,
    LinkNotFound,
    MethodNotAllowed,
)
from directlinks.core.visits import Look
from directlinks.delivery.choice import backend_for
from directlinks.delivery.content import content_response
from directlinks.delivery.cors import allow_origin
from directlinks.delivery.download import Download
from directlinks.delivery.headers import PRIVATE
from directlinks.reporting import correlation_id, mark_as_logged, report, report_unexpected
from directlinks.services.opening import open_direct_link, redeem_ticket

NEVER_STORED = {"Cache-Control": "private, no-store", **PRIVATE}


# A transaction around a visit would read before it writes, which SQLite refuses under load. A POST
# is refused by us, and not by CSRF's own page, which would log the whole path.
@method_decorator([non_atomic_requests, csrf_exempt], name="dispatch")
class VisitorView(View):
    """A view whose failures leave as an envelope, or as a page for people."""

    http_method_names = ["get", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = super().dispatch(request, *args, **kwargs)
        except DirectLinksError as error:
            response = failure(request, error)
            report(request, response, error.msg)
        except SuspiciousOperation as error:
            response = failure(request, InvalidParameters(cause=str(error)))
            report(request, response, str(error))
        except Exception as error:
            if conf.debug:  # a developer wants Django's page
                raise
            response = failure(request, DirectLinksError())
            report_unexpected(request, response, error)
        allow_origin(request, response, self.http_method_names)
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        allowed = {"Allow": ", ".join(self.http_method_names).upper(), "Content-Length": "0"}
        return HttpResponse(headers=allowed | NEVER_STORED)

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        error = MethodNotAllowed()
        response = failure(request, error)
        response.headers["Allow"] = ", ".join(self.http_method_names).upper()
        report(request, response, error.msg)
        return response


class OpenView(VisitorView):
    """Judge, count, and send the visitor on to the bytes."""

    attachment = False

    def get(self, request: HttpRequest, code: str, name: str) -> HttpResponseBase:
        now = timezone.now()
        headers = request.headers
        look = Look(
            method=request.method or "",
            byte_range=headers.get("Range"),
            purposes=tuple(map(headers.get, ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))),
            user_agent=headers.get("User-Agent"),
        )

        def deliver(download: Download) -> HttpResponseBase:
            return backend_for(download.content.storage).deliver(request, download, now)

        response = open_direct_link(
            code=code, name=name, look=look, attachment=self.attachment, now=now, deliver=deliver
        )
        return unlogged(response)


class ContentView(VisitorView):
    """The bytes, for whoever holds a ticket."""

    def get(self, request: HttpRequest, ticket: str, name: str) -> HttpResponseBase:
        method = request.method or ""
        download = redeem_ticket(text=ticket, name=name, method=method, now=timezone.now())
        return unlogged(content_response(request, download))


class NotFoundView(VisitorView):
    """Everything else below ``/f/``: no such link, and no query to find that out."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        raise LinkNotFound


def unlogged(response: HttpResponseBase) -> HttpResponseBase:
    """``response``, of which Django's log must not show the path.

    A 412 or 416 is what its client asked for, so there is nothing to report either.
    """
    mark_as_logged(response)
    return response


def failure(request: HttpRequest, error: DirectLinksError) -> HttpResponse:
    """The answer to a visit that failed: for people a page, for programs an envelope."""
    status = error.code.http_status
    reference = correlation_id(request)
    response: HttpResponse
    if _prefers_html(request):
        title, advice = _explanation(error)
        context = {"title": title, "advice": advice, "correlation_id": reference}
        response = render(request, "directlinks/failure.html", context, status=status)
    else:
        body = envelope.from_error(error, correlation_id=reference, debug=conf.debug)
        response = HttpResponse(
            envelope.encode(body), status=status, content_type=envelope.CONTENT_TYPE
        )
    patch_vary_headers(response, ["Accept"])
    length = {"Content-Length": str(len(response.content))}
    return with_headers(response, NEVER_STORED | length)


def _prefers_html(request: HttpRequest) -> bool:
    try:
        return request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    except ValueError:  # Django cannot read this Accept header
        return False


def with_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _explanation(error: DirectLinksError) -> tuple[str, str]:
    """A title, and what the reader can do next."""
    if isinstance(error, LinkGone):
        return _("This link is no longer valid"), _("Ask whoever gave it to you for a new one.")
    if isinstance(error, LinkNotFound):
        return (
            _("There is no file at this link"),
            _("Check that the whole address was copied, or ask whoever gave it to you."),
        )
    return _("This address cannot be opened"), _("Open the link that you were given once more.")
