"""What all our API views have in common, whatever the site's REST_FRAMEWORK settings say."""

from collections.abc import Callable
from typing import Any, cast

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
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


# A request is no transaction: SQLite refuses one that reads before it writes, and a long one would
# keep others from the same files.
@method_decorator(non_atomic_requests, name="dispatch")
class EnvelopeView(APIView):
    """An API view that answers in envelopes, failures included."""

    renderer_classes = (EnvelopeRenderer,)
    permission_classes: tuple[type[BasePermission], ...] = (IsOwnerOrAdmin,)
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None
    metadata_class = None

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Access tokens, then the site's own authentication, read when it is asked for."""
        classes = cast("Any", api_settings.DEFAULT_AUTHENTICATION_CLASSES) or ()
        own = [authentication() for authentication in classes]
        return [AccessTokenAuthentication(), *own]

    def get_throttles(self) -> list[BaseThrottle]:
        """Those of the site, which let pass while the cache is down."""
        throttles = super().get_throttles()
        for throttle in throttles:
            if caching.is_default(getattr(throttle, "cache", None)):
                vars(throttle)["cache"] = caching.ForgivingCache()
        return throttles

    def get_authenticate_header(self, request: Request) -> str:
        """Not being logged in is a 401, also where the site's first class has no challenge."""
        return CHALLENGE

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


def django_request(request: Request) -> HttpRequest:
    """Django's request under DRF's."""
    return request._request
