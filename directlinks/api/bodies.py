"""Request bodies, read as the clients of this protocol write them.

The Content-Type is not looked at, names match in any case, and what follows the first JSON value
is ignored. DRF's parsers choose by Content-Type and cannot tell an empty body from an empty
object, which this protocol answers differently.
"""

import json
from typing import Any, Protocol, cast

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from rest_framework import status
from rest_framework.exceptions import APIException

from directlinks.conf import conf
from directlinks.core.errors import InvalidParameters


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request body is too large."
    default_code = "body_too_large"


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "The server cannot read a body of unknown length: send a Content-Length."
    default_code = "length_required"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def json_object(request: HttpRequest, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the JSON object in the body of ``request``, its names in lower case.

    null is an empty one, and so is no body at all if it ``may_be_empty``. Raise BodyTooLarge or
    LengthRequired before it is read, and InvalidParameters if it is not JSON or no object.
    """
    text = _body(request).decode("utf-8", "replace").lstrip(" \t\r\n")
    if may_be_empty and not text:
        return {}
    try:
        value = _decoder.raw_decode(text)[0]
    except (ValueError, RecursionError) as error:
        raise InvalidParameters from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidParameters("JSON marshall error")
    return {name.lower(): item for name, item in value.items()}


def _body(request: HttpRequest) -> bytes:
    """Return the whole body. Raise BodyTooLarge, having read no more than it takes to say so."""
    ceiling = conf.max_body_bytes
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    try:
        body = b"" if announced > ceiling else _read(_stream(request), ceiling + 1)
    except OSError as error:  # the client is gone, or what it sent is not chunked
        raise InvalidParameters from error
    if max(announced, len(body)) > ceiling:
        raise BodyTooLarge
    return body


def _stream(request: HttpRequest) -> Readable:
    """Return what the body is read from.

    Django reads nothing from a WSGI server if the length is not announced, as of a chunked body.
    The server's own stream is read instead if it ends with the body. Raise LengthRequired if it
    does not: reading it would wait for bytes that never come.
    """
    if not isinstance(request, WSGIRequest) or request.META.get("CONTENT_LENGTH"):
        return request
    if request.environ.get("wsgi.input_terminated"):
        return cast("Readable", request.environ["wsgi.input"])
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    return request


def _read(stream: Readable, limit: int) -> bytes:
    """Return up to ``limit`` bytes: one reading may give fewer than there are."""
    parts: list[bytes] = []
    while limit > 0 and (part := stream.read(limit)):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
