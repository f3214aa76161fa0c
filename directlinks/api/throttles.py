"""How often a client may try."""

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from directlinks.conf import conf
from directlinks.core.networks import network_of


class LoginThrottle(SimpleRateThrottle):
    """Limits attempts to log in by client address, at ``LOGIN_RATE``.

    As DRF says of its throttles, counting is not atomic: a burst may get a few more through.
    """

    scope = "directlinks_login"

    def get_ident(self, request: Request) -> str:
        """The network of the client, or of a proxy that the site does not declare.

        Without NUM_PROXIES, DRF takes X-Forwarded-For as it comes, and a client that makes it up
        would have a new identity for each attempt.
        """
        if api_settings.NUM_PROXIES is None:
            return network_of(str(request.META.get("REMOTE_ADDR", "")))
        return network_of(str(super().get_ident(request)))

    def get_rate(self) -> str | None:
        return conf.LOGIN_RATE

    def get_cache_key(self, request: Request, view: APIView) -> str:
        ident = self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}
