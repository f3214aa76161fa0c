"""Logging of failed requests for links.

A code is a secret that opens a file, so it is never logged whole. Django's own request log would
print the path of every answer from 400 on: these answers are marked as logged instead.
"""

import logging
import re
from collections.abc import Iterable
from typing import cast
from uuid import UUID, uuid4

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.log import log_response

from directlinks.core import codes
from directlinks.core.errors import StorageError
from directlinks.outages import RateLimitedLog

logger = logging.getLogger("directlinks")

_outages = RateLimitedLog(1.0)


def correlation_id(request: HttpRequest) -> str:
    """Return the id of ``request``: the client's own if it sent a UUID. Always the same."""
    known = request.META.get("directlinks.correlation_id")
    if known is None:
        names = ("X-Cr-Correlation-Id", "X-Request-ID")
        known = choose_correlation_id(request.headers.get(name) for name in names)
        request.META["directlinks.correlation_id"] = known
    return cast("str", known)


def report(
    request: HttpRequest,
    response: HttpResponseBase,
    msg: str,
    *,
    place: str,
    code: str | None = None,
) -> None:
    """Log that ``request`` for ``place`` failed with ``msg``, in place of Django's own line."""
    logger.warning(
        "%s: %s %s%s: %s (correlation id %s)",
        response.reason_phrase,
        request.method,
        place,
        "" if code is None else f" {codes.shortened(code)}",
        msg,
        correlation_id(request),
        extra={
            "status_code": response.status_code,
            "correlation_id": correlation_id(request),
        },
    )
    mark_as_logged(response)


def report_unexpected(request: HttpRequest, response: HttpResponse, exc: Exception) -> None:
    """Log ``exc`` and send ``got_request_exception``, as Django would."""
    got_request_exception.send(sender=None, request=request)
    log_response(
        "Internal Server Error in directlinks (correlation id %s)",
        correlation_id(request),
        response=response,
        request=request,
        exception=exc,
    )


def report_outage(response: HttpResponseBase, exc: Exception) -> None:
    """Log once a second that the database is away, because each request would say so."""
    _outages.write("The database is away", exc, kind=type(exc).__name__)
    mark_as_logged(response)


def report_storage_error(response: HttpResponseBase, error: StorageError) -> None:
    """Log once a second that a storage fails in this way, because each visit may say so.

    The exception of its package is named alone: its text may hold a signed address.
    """
    from_package = type(error.__cause__ or error).__name__
    message = f"{response.reason_phrase}: {error.msg} ({from_package})"
    _outages.write(message, error.cause, kind=f"{message} {error.cause}")
    mark_as_logged(response)


def mark_as_logged(response: HttpResponseBase) -> None:
    """Keep Django from logging ``response`` with the whole path."""
    response._has_been_logged = True  # type: ignore[attr-defined]  # django.utils.log.log_response


_GROUPS = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_UUID = re.compile(
    rf"(?:urn:uuid:)?{_GROUPS}|\{{{_GROUPS}\}}|([0-9a-f]{{32}})", re.IGNORECASE | re.ASCII
)


def choose_correlation_id(proposals: Iterable[str | None]) -> str:
    """Return the first of the client's ``proposals`` that is a UUID, in canonical form.

    Return a new one if there is none. The UUID of zeros alone means "no UUID" (RFC 9562).
    """
    for proposal in proposals:
        if proposal is not None and (match := _UUID.fullmatch(proposal)):
            proposed = UUID(match[match.lastindex or 0])
            if proposed.int:
                return str(proposed)
    return str(uuid4())
