"""The fast lane: a plain visit to a link, answered with headers alone.

It takes the environ of a WSGI request, makes no request and no response of Django's, and asks one
statement, or none. Whatever is not plain it leaves, uncounted, to ``resolving.py``, which knows all
of the rules.
"""

from typing import Any

from django.core.handlers.wsgi import get_path_info
from django.db import connections, router
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.core.errors import DirectLinksError
from directlinks.core.routes import link_at
from directlinks.counting.choice import site_counter
from directlinks.counting.days import day_of
from directlinks.delivery.base import HeadersBackend
from directlinks.delivery.choice import backend_for
from directlinks.delivery.replies import Reply
from directlinks.models import DirectLink, File
from directlinks.services.announcing import announce_now
from directlinks.services.opening import admit, describe, is_download
from directlinks.sql.choice import links_of
from directlinks.visiting.answers import counted, known_answer
from directlinks.visiting.sites import facts_of, known_site

_CONTENT = File._meta.get_field("content")

Environ = dict[str, Any]


def quick_reply(environ: Environ, prefix: str) -> Reply | None:
    """What a plain visit gets, counted; None where it is not that plain.

    The path begins with ``prefix``, as the paths of all links do.
    """
    if conf.CORS != "off" or conf.debug or not _is_plain(environ):
        return None
    facts = facts_of(environ, environ["wsgi.url_scheme"])
    in_database = site_counter().in_database
    try:
        if conf.CACHE_SECONDS:
            answer = known_answer(environ, facts)
            return answer.reply if answer is not None and counted(answer) else None
        site = known_site(facts) if in_database else None
        return None if site is None else _opened(environ, prefix, site)
    finally:
        if in_database:
            _end_of_request()


def _is_plain(environ: Environ) -> bool:
    """Whether the request is a download whatever file it is of."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "HTTP_RANGE" not in environ
        and "HTTP_SEC_PURPOSE" not in environ
        and "HTTP_PURPOSE" not in environ
        and "HTTP_X_PURPOSE" not in environ
        and "HTTP_X_MOZ" not in environ
        and is_download(environ.get("HTTP_USER_AGENT"))
    )


def _opened(environ: Environ, prefix: str, site: str) -> Reply | None:
    path = environ["PATH_INFO"]
    wanted = link_at((path if path.isascii() else get_path_info(environ)).removeprefix(prefix))
    backend = backend_for(_CONTENT.storage)
    if wanted is None or not isinstance(backend, HeadersBackend):
        return None
    saving, code, name = wanted
    now = timezone.now()
    admission = admit(code, name, now)
    if admission is None:
        return None
    reply = None
    try:
        download = describe(admission, attachment=saving, head_only=False)
        reply = backend.reply(download, now, site)
    except DirectLinksError:  # the long way finds it too, and says what it means
        return None
    finally:
        if reply is None:
            links_of(DirectLink).give_back(admission.link, day_of(now))
    announce_now(signals.opened, link=admission.link, at=now)
    return reply


def _end_of_request() -> None:
    """Do for our database what Django does for all of them after each request."""
    connection = connections[router.db_for_write(DirectLink)]
    if not connection.in_atomic_block:  # that of a test, which goes on
        connection.close_if_unusable_or_obsolete()
