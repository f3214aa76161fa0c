"""The base of all API views; it does not depend on the site's REST_FRAMEWORK settings."""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, cast

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import is_valid_path
from django.utils.decorators import method_decorator
from django.views.decorators.common import no_append_slash
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.negotiation import DefaultContentNegotiation
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
from directlinks.api.renderers import EnvelopeRenderer
from directlinks.conf import conf
from directlinks.users import is_active


class JSONAlways(DefaultContentNegotiation):
    """JSON for every ``Accept`` and ``format``: a 406 helps no client of this protocol."""

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

    renderer_classes = (EnvelopeRenderer,)
    permission_classes: tuple[type[BasePermission], ...] = (IsOwnerOrAdmin,)
    content_negotiation_class = JSONAlways
    versioning_class = None
    metadata_class = None

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Access tokens, then the site's own authentication, read when it is asked for."""
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
        """Not being logged in is a 401, also where the site's first class has no challenge."""
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
