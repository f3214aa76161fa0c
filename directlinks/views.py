"""The visitor's door in Django's routing: ``/f/<code>/<name>`` and what it leads to."""

from typing import Any

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from directlinks.core.routes import Kind, Route
from directlinks.visiting.resolving import resolve


# A transaction around a visit would read before it writes, which SQLite refuses under load. A form
# with a password changes nothing that a stranger could want changed, and CSRF's own page would log
# the whole path.
@method_decorator([non_atomic_requests, csrf_exempt], name="dispatch")
class VisitorView(View):
    """Any address below ``/f/``, of the kind that its route says."""

    kind = Kind.UNKNOWN

    def dispatch(
        self, request: HttpRequest, *args: Any, secret: str = "", name: str = "", **kwargs: Any
    ) -> HttpResponseBase:
        return resolve(request, Route(self.kind, secret, name))
