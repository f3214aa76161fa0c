"""The fast lane: plain visits, answered from the environ of a WSGI request.

It makes no request and no response of Django's. A link that is answered with headers alone costs
one statement, or none. Requests that are not plain are left, uncounted, to ``resolving.py``, which
knows all of the rules.
"""

from datetime import datetime
from typing import Any, cast

from django.core.handlers.wsgi import get_path_info
from django.db import connections
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.core.errors import DirectLinksError, LinkNotFound
from directlinks.core.routes import link_at, ticket_at
from directlinks.core.visits import PURPOSES
from directlinks.counters.base import get_counter
from directlinks.delivery.base import HeadersBackend
from directlinks.delivery.choice import backend_for, backend_of
from directlinks.delivery.download import Download
from directlinks.delivery.replies import Reply
from directlinks.delivery.stream import StreamBackend
from directlinks.models import DirectLink, File
from directlinks.services.opening import admit, deliver_counted, is_download
from directlinks.sql.links import Admission
from directlinks.visiting.content_lane import redeemed, streamed, wants_all
from directlinks.visiting.memory import Answer, counted, keep, known_answer
from directlinks.visiting.sites import Facts, facts_of, known_site

_CONTENT = File._meta.get_field("content")

Environ = dict[str, Any]


def quick_reply(environ: Environ, prefix: str) -> Reply | None:
    """What a plain visit gets, counted; None where it is not that plain.

    The path begins with ``prefix``, as the paths of all links do.
    """
    if conf.CORS != "off" or conf.debug or not _is_plain(environ):
        return None
    facts = facts_of(environ, environ["wsgi.url_scheme"])
    if conf.CACHE_SECONDS and (answer := known_answer(environ, facts)) is not None:
        return _remembered(answer)
    site = known_site(facts)
    if site is None:
        return None
    path = environ["PATH_INFO"]
    rest = (path if path.isascii() else get_path_info(environ)).removeprefix(prefix)
    try:
        return _found(environ, rest, facts, site)
    finally:
        _end_of_request()


def _remembered(answer: Answer) -> Reply | None:
    try:
        return answer.reply if counted(answer) else None
    finally:
        if get_counter().in_database:
            _end_of_request()


def _found(environ: Environ, rest: str, facts: Facts, site: str) -> Reply | None:
    now = timezone.now()
    backend = backend_for(_CONTENT.storage)
    # A backend of the site's own may look at the request.
    deliver = type(backend).deliver
    if (ticket := ticket_at(rest)) is not None:
        return redeemed(*ticket, now) if wants_all(environ) else None
    if (wanted := link_at(rest)) is None:
        return None
    saving, code, name = wanted
    if deliver is StreamBackend.deliver:
        return streamed(code, name, now, saving=saving) if wants_all(environ) else None
    if deliver is not HeadersBackend.deliver or (admission := admit(code, name, now)) is None:
        return None
    reply, is_same_for_all = _delivered(admission, site, now, saving=saving)
    if reply is not None and is_same_for_all and conf.CACHE_SECONDS:
        keep(environ, facts, admission, reply)
    return reply


def _is_plain(environ: Environ) -> bool:
    """Return True if the request is a download of any file."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "HTTP_RANGE" not in environ
        and not any(map(environ.__contains__, PURPOSES))
        and is_download(environ.get("HTTP_USER_AGENT"))
    )


def _delivered(
    admission: Admission, site: str, now: datetime, *, saving: bool
) -> tuple[Reply | None, bool]:
    """Return what the visitor gets, if that can be told here, and if it is the same for all."""
    is_same_for_all = False

    def deliver(download: Download) -> Reply:
        nonlocal is_same_for_all
        backend = backend_of(download)
        if type(backend).deliver is not HeadersBackend.deliver:
            raise LinkNotFound  # in another storage than most: not counted here
        is_same_for_all = backend.same_for_all
        return cast("HeadersBackend", backend).reply(download, now, site)

    try:
        reply, granted = deliver_counted(admission, deliver, now=now, attachment=saving)
    except DirectLinksError:  # the long way finds it too, and says what it means
        return None, False
    return (reply if granted else None), is_same_for_all


def _end_of_request() -> None:
    """Do for connections what Django does after each request.

    Only for ours, unless receivers of signals may use others.
    """
    ours = connections[DirectLink.objects.db]
    used = connections.all(initialized_only=True) if signals.opened.receivers else [ours]
    for connection in used:
        if not connection.in_atomic_block:  # that of a test, which goes on
            connection.close_if_unusable_or_obsolete()
