"""How often a client may try."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from directlinks.api.base import django_request
from directlinks.caching import ForgivingCache
from directlinks.conf import conf
from directlinks.visiting.throttling import client_of


class LoginThrottle(SimpleRateThrottle):
    """Limits attempts to log in by client address, at ``LOGIN_RATE``.

    As DRF says of its throttles, counting is not atomic: a burst may get a few more through.
    """

    scope = "directlinks_login"
    cache: Any = ForgivingCache()

    def get_ident(self, request: Request) -> str:
        """The network of the client. Without NUM_PROXIES, DRF believes any X-Forwarded-For."""
        return client_of(django_request(request))

    def get_rate(self) -> str | None:
        return conf.LOGIN_RATE

    def get_cache_key(self, request: Request, view: APIView) -> str:
        ident = self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}
