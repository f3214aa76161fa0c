"""The fast lane: a plain visit to a plain link, answered with headers alone.

It takes the environ of a request, makes no request and no response object, and asks one statement.
Whatever is not plain it leaves, uncounted, to ``resolving.py``, which knows all of the rules.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connections, router
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.core import codes
from directlinks.core.routes import Kind, Route
from directlinks.core.visits import Look
from directlinks.delivery.choice import backend_for
from directlinks.delivery.signed import SignedBackend
from directlinks.models import DirectLink, File
from directlinks.services.announcing import announce_now
from directlinks.services.opening import describe, open_at_once
from directlinks.visiting.sites import known_site

_CONTENT = File._meta.get_field("content")


def quick_headers(
    meta: Mapping[str, Any], route: Route, look: Look, facts: tuple[Any, ...]
) -> dict[str, str] | None:
    """The headers of the 302 that a plain visit gets, counted; None where it is not that plain."""
    if route.kind not in (Kind.OPEN, Kind.DOWNLOAD) or not codes.is_well_formed(route.secret):
        return None
    backend = backend_for(_CONTENT.storage)
    # Only of our own target it is known that making it asks nothing and cannot fail.
    if type(backend) is not SignedBackend or look.method != "GET" or conf.CORS != "off":
        return None
    if (site := known_site(facts)) is None:
        return None
    now = timezone.now()
    row = open_at_once(route.secret, route.name, look, now)
    if row is None:
        return None
    announce_now(signals.opened, link=row.link, at=now)
    download = describe(row, attachment=route.attachment, head_only=False)
    return backend.headers(site, download, now)


def end_of_request() -> None:
    """Do for our database what Django does for all of them after each request."""
    connection = connections[router.db_for_write(DirectLink)]
    if not connection.in_atomic_block:  # that of a test, which goes on
        connection.close_if_unusable_or_obsolete()
