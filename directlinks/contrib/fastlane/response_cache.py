"""Cache in each process of answers to visitors of links without any limit.

It keeps redirects, and the headers that make a web server send a file, for ``CACHE_SECONDS``. None
has a body. Such an answer depends on nothing but its key. Each visit is still counted, and a
process that forgets an answer only asks again.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.core.visits import VisitRequest
from directlinks.counters.base import get_counter
from directlinks.delivery.responses import PlainResponse
from directlinks.services.opening import Opened, is_plain
from directlinks.services.sending import send_now
from directlinks.serving.site_cache import (
    RequestKey,
    depends_on_more,
    request_key,
    scheme_of,
)
from directlinks.sql.links import ClaimedLink, LinkRow

MAX_ANSWERS = 50_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A cached answer: for which link, and until which time.monotonic()."""

    link: int
    response: PlainResponse
    until: float


_answers: dict[tuple[Any, ...], Answer] = {}
_lock = threading.Lock()


def key_of(meta: Mapping[str, Any], site_key: RequestKey) -> tuple[Any, ...]:
    """Return all that the answer to a request with ``meta``, such as a WSGI environ, depends on."""
    sent = meta.get
    return (sent("PATH_INFO"), sent("REQUEST_METHOD"), site_key)


def cached_answer(meta: Mapping[str, Any], site_key: RequestKey) -> Answer | None:
    """Return the cached answer to such a request if it is a plain visit, else None."""
    answer = _answers.get(key_of(meta, site_key))
    return None if answer is None or answer.until <= monotonic() else answer


def cached_response(request: HttpRequest, visit: VisitRequest) -> HttpResponse | None:
    """Return the cached answer to ``request``, counted, or None if the link must be read."""
    if not conf.CACHE_SECONDS or not is_plain(visit):
        return None
    answer = cached_answer(request.META, request_key(request.META, scheme_of(request)))
    if answer is None or not count_visit(answer):
        return None
    return answer.response.response()


def count_visit(answer: Answer) -> bool:
    """Count a visit that gets ``answer``. Return False if the link turns out to be closed."""
    now = timezone.now()
    if not get_counter().count(answer.link, now):
        return False
    send_now(signals.opened, link=answer.link, at=now)
    return True


def cache_response(request: HttpRequest, visit: VisitRequest, opened: Opened) -> None:
    """Cache the answer to ``request`` if the next one of its kind may have it too.

    An address with another spelling of the name is not kept: there are too many of them.
    """
    is_exact = request.path_info.endswith(f"/{opened.row.name}")
    if is_exact and is_plain(visit) and not depends_on_more(request):
        response = PlainResponse(opened.answer.status_code, dict(opened.answer.items()))
        cache_answer(
            request.META, request_key(request.META, scheme_of(request)), opened.row, response
        )


def cache_answer(
    meta: Mapping[str, Any],
    site_key: RequestKey,
    row: LinkRow | ClaimedLink,
    response: PlainResponse,
) -> None:
    """Cache ``response``, the answer to a plain visit to ``row``.

    Its address depends on ``site_key`` alone.
    """
    seconds = conf.answer_cache_seconds
    if seconds and row.is_unlimited and _is_headers_alone(response):
        answer = Answer(row.link_id, response, monotonic() + seconds)
        with _lock:
            if len(_answers) >= MAX_ANSWERS:
                _answers.clear()
            _answers[key_of(meta, site_key)] = answer


def _is_headers_alone(response: PlainResponse) -> bool:
    """Return True if the answer is only headers, which lead to a file."""
    if response.status_code == 200:
        return response.headers.get("Content-Length") == "0"
    return response.status_code == 302


def clear() -> None:
    """Clear the cache."""
    with _lock:
        _answers.clear()
