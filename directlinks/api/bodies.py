"""Request bodies, read as the clients of this protocol write them.

The Content-Type is not looked at, names match in any case, and what follows the first JSON value
is ignored. DRF's parsers choose by Content-Type and cannot tell an empty body from an empty
object, which this protocol answers differently.
"""

import json
from typing import Any

from django.http import HttpRequest, UnreadablePostError
from rest_framework import status
from rest_framework.exceptions import APIException

from directlinks.conf import conf
from directlinks.core.errors import InvalidParameters


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request body is too large."
    default_code = "body_too_large"


def json_object(request: HttpRequest, *, may_be_empty: bool = False) -> dict[str, Any]:
    """The JSON object in the body of ``request``, its names in lower case; null is an empty one.

    So is no body at all, where it ``may_be_empty``.

    Raises BodyTooLarge before it is read, and InvalidParameters where it is not JSON or no object.
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
    ceiling = conf.max_body_bytes
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    # A body of unannounced length is read up to the ceiling and no further.
    try:
        body = b"" if announced > ceiling else request.read(ceiling + 1)
    except UnreadablePostError as error:  # the client is gone
        raise InvalidParameters from error
    if max(announced, len(body)) > ceiling:
        raise BodyTooLarge
    return body


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
