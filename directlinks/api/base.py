"""The base of all API views; it does not depend on the site's REST_FRAMEWORK settings."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, Protocol, cast

from django.core.handlers.wsgi import WSGIRequest
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import is_valid_path
from django.utils.decorators import method_decorator
from django.views.decorators.common import no_append_slash
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from directlinks import caching
from directlinks.api.authentication import AccessTokenAuthentication
from directlinks.api.exceptions import CHALLENGE, exception_handler
from directlinks.api.permissions import IsOwnerOrAdmin
from directlinks.conf import conf
from directlinks.core import envelope
from directlinks.core.errors import InvalidParameters
from directlinks.users import is_active


class EnvelopeRenderer(BaseRenderer):
    """Writes the envelopes that our views return."""

    media_type = "application/json"
    format = "json"
    charset = "utf-8"

    def render(
        self,
        data: envelope.Envelope,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return envelope.encode(data)


class JSONLeftUnread(BaseParser):
    """Leave the body to ``json_object``.

    DRF parses it to look for a form's CSRF token, and before its version 3.18 it could then not be
    read again.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {}


class BodyTooLarge(APIException):
    """The request body is larger than a full batch."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request body is too large."
    default_code = "body_too_large"


class LengthRequired(APIException):
    """The request has a body of unknown length that the server does not end."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "The server cannot read a body of unknown length: send a Content-Length."
    default_code = "length_required"


class Readable(Protocol):
    """A stream of bytes."""

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


class JSONAlways(DefaultContentNegotiation):
    """JSON for every ``Accept``, ``format`` and ``Content-Type``.

    A 406 or a 415 helps no client of this protocol.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


# A request is no transaction: SQLite refuses one that reads before it writes, and a long one would
# keep others from the same files.
@method_decorator(non_atomic_requests, name="dispatch")
class EnvelopeView(APIView):
    """An API view that answers in envelopes, failures included."""

    parser_classes = (JSONLeftUnread,)
    renderer_classes = (EnvelopeRenderer,)
    permission_classes: tuple[type[BasePermission], ...] = (IsOwnerOrAdmin,)
    content_negotiation_class = JSONAlways
    versioning_class = None
    metadata_class = None

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return access tokens first, then the site's own authentication, read late."""
        classes = cast("Any", api_settings.DEFAULT_AUTHENTICATION_CLASSES) or ()
        own = [authentication() for authentication in classes]
        return [AccessTokenAuthentication(), *own]

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the throttles of the site, which let requests pass while the cache is down."""
        throttles = super().get_throttles()
        for throttle in throttles:
            if caching.is_default(getattr(throttle, "cache", None)):
                vars(throttle)["cache"] = caching.ForgivingCache()
        return throttles

    def get_authenticate_header(self, request: Request) -> str:
        """Return a challenge even if the site's first class has none, so the status is 401."""
        return CHALLENGE

    def permission_denied(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Answer 401 to an inactive user too, who may have passed the site's authentication."""
        if not is_active(request.user):
            raise NotAuthenticated
        super().permission_denied(request, *args, **kwargs)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return exception_handler

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-cache"
        if conf.ALWAYS_200:
            response.status_code = 200
        return response


@method_decorator(no_append_slash, name="dispatch")
class UnknownRouteView(EnvelopeView):
    """Answers 404, by any method, to a path below the API's prefix that is none of its routes."""

    permission_classes = ()
    schema = None

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Redirect to a route of the site's own if only the final slash is missing.

        CommonMiddleware would do so, but to it every path below the prefix is a known one.
        """
        if conf.append_slash and not request.path_info.endswith("/"):
            match = is_valid_path(f"{request.path_info}/", getattr(request, "urlconf", None))
            if match and getattr(match.func, "should_append_slash", True):
                return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


def django_request(request: Request) -> HttpRequest:
    """Return Django's request under DRF's."""
    return request._request
