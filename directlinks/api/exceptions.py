"""Translates every exception of our API views into an envelope."""

import math
from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from directlinks.conf import conf
from directlinks.core import envelope
from directlinks.core.errors import (
    DirectLinksError,
    ErrorCode,
    InvalidParameters,
    LoginRequired,
    ServiceUnavailable,
    StorageError,
)
from directlinks.outages import is_away
from directlinks.reporting import (
    correlation_id,
    report,
    report_outage,
    report_storage_error,
    report_unexpected,
)

CHALLENGE = "Bearer"

# What is wrong with a field, by DRF's code for it; "{}" is the field.
_FIELD_FAULTS = {
    "required": "{} cannot be empty",
    "null": "{} cannot be empty",
    "blank": "{} cannot be empty",
    "empty": "{} too short",
    "min_length": "{} too short",
    "max_length": "{} too long",
    "invalid": "JSON marshall error",
}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Return the response to ``exc``; DRF calls this for each exception of our views.

    An unexpected exception is logged with its traceback, sent to ``got_request_exception`` and
    rolls back the transaction, as usual; the client gets code -1 without any detail.
    """
    request: HttpRequest = context["request"]._request
    set_rollback()
    if is_away(exc):
        return _unavailable(request, exc)
    exc = _as_ours_or_drfs(exc)
    if isinstance(exc, DirectLinksError):
        response = _answer(request, exc.code, exc.msg, exc.code.http_status, exc.cause)
    elif isinstance(exc, exceptions.APIException):
        response = _answer(request, exc.status_code, str(exc.detail), exc.status_code)
    else:
        return _unexpected(request, exc)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    if (wait := getattr(exc, "wait", getattr(exc, "seconds", None))) is not None:
        response.headers["Retry-After"] = str(math.ceil(wait))
    if isinstance(exc, StorageError):
        report_storage_error(response, exc)
        return response
    match = request.resolver_match
    report(
        request,
        response,
        response.data["msg"] or f"code {response.data['code']}",
        place=match.view_name if match is not None else "directlinks",
        code=match.kwargs.get("code") if match is not None else None,
    )
    return response


def _as_ours_or_drfs(exc: Exception) -> Exception:
    """Return our error for ``exc``, DRF's if its status is enough, or ``exc`` itself."""
    match exc:
        case exceptions.ValidationError():
            return InvalidParameters(_first_fault(exc))
        case DjangoValidationError(error_dict=_):
            return InvalidParameters(_first_of_models(exc))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return LoginRequired(cause=str(exc.detail))
        case SuspiciousOperation():
            return InvalidParameters(cause=str(exc))
        case Http404():
            return exceptions.NotFound()
        case DjangoPermissionDenied():
            return exceptions.PermissionDenied()
        case _:
            return exc


def _first_fault(error: exceptions.ValidationError) -> str:
    # Our serializers are flat: a dict of fields, each with a list of codes.
    field, codes = next(iter(cast("dict[str, list[str]]", error.get_codes()).items()))
    name = "".join(word.title() for word in field.split("_"))
    return _FIELD_FAULTS.get(codes[0], "Invalid parameters.").format(name)


def _first_of_models(error: DjangoValidationError) -> str:
    """Return the first message of ``error``, which services raise by a limit's field name."""
    field, faults = next(iter(error.message_dict.items()))
    return f"{field}: {faults[0]}"


def _answer(request: HttpRequest, code: int, msg: str, status: int, detail: str = "") -> Response:
    body = envelope.failure(
        code,
        msg,
        correlation_id=correlation_id(request),
        detail=detail if conf.debug else "",
    )
    return Response(body, status=status)


def _unavailable(request: HttpRequest, exc: Exception) -> Response:
    error = ServiceUnavailable
    response = _answer(request, error.code, error.msg, error.code.http_status, str(exc))
    response.headers["Retry-After"] = str(error.seconds)
    report_outage(response, exc)
    return response


def _unexpected(request: HttpRequest, exc: Exception) -> Response:
    unknown = ErrorCode.UNKNOWN
    detail = f"{type(exc).__name__}: {exc}"
    response = _answer(request, unknown, "", unknown.http_status, detail)
    report_unexpected(request, response, exc)
    return response
