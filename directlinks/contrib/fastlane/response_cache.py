"""Answers that a process remembers for ``CACHE_SECONDS``, to visitors of links without any limit:
redirects, and what a web server is told that sends the bytes. None has a body.

What a visitor is told then depends on nothing but the facts in the key. Each visit is counted all
the same, and a process that forgets only asks again.
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
from directlinks.serving.request_key import (
    RequestKey,
    depends_on_more,
    request_key,
    scheme_of,
)
from directlinks.sql.links import Admission, LinkRow

MOST_ANSWERS = 50_000


@dataclass(frozen=True, slots=True)
class Answer:
    """For visitors of which link, and until which time.monotonic()."""

    link: int
    reply: PlainResponse
    until: float


_answers: dict[tuple[Any, ...], Answer] = {}
_lock = threading.Lock()


def key_of(meta: Mapping[str, Any], facts: RequestKey) -> tuple[Any, ...]:
    """Return all that the answer to a request with ``meta``, such as a WSGI environ, depends on."""
    sent = meta.get
    return (sent("PATH_INFO"), sent("REQUEST_METHOD"), facts)


def known_answer(meta: Mapping[str, Any], facts: RequestKey) -> Answer | None:
    """The answer that is remembered for such a request, if that is a plain visit."""
    answer = _answers.get(key_of(meta, facts))
    return None if answer is None or answer.until <= monotonic() else answer


def recalled(request: HttpRequest, visit: VisitRequest) -> HttpResponse | None:
    """The remembered answer to ``request``, counted; None where none is, or it must be asked."""
    if not conf.CACHE_SECONDS or not is_plain(visit):
        return None
    answer = known_answer(request.META, request_key(request.META, scheme_of(request)))
    if answer is None or not counted(answer):
        return None
    return answer.reply.response()


def counted(answer: Answer) -> bool:
    """Count a visit that gets ``answer``; False where the link turns out to be closed."""
    now = timezone.now()
    if not get_counter().count(answer.link, now):
        return False
    send_now(signals.opened, link=answer.link, at=now)
    return True


def remember(request: HttpRequest, visit: VisitRequest, opened: Opened) -> None:
    """Keep the answer to ``request`` if the next one of its kind may have it too.

    An address with another spelling of the name is not kept: there are too many of them.
    """
    is_exact = request.path_info.endswith(f"/{opened.row.name}")
    if is_exact and is_plain(visit) and not depends_on_more(request):
        reply = PlainResponse(opened.answer.status_code, dict(opened.answer.items()))
        keep(request.META, request_key(request.META, scheme_of(request)), opened.row, reply)


def keep(
    meta: Mapping[str, Any], facts: RequestKey, row: LinkRow | Admission, reply: PlainResponse
) -> None:
    """The same for the ``reply`` to a plain visit to ``row``, whose address depends on no more than
    ``facts``."""
    seconds = conf.remembered_seconds
    if seconds and row.is_unlimited and _is_headers_alone(reply):
        answer = Answer(row.link, reply, monotonic() + seconds)
        with _lock:
            if len(_answers) >= MOST_ANSWERS:
                _answers.clear()
            _answers[key_of(meta, facts)] = answer


def _is_headers_alone(reply: PlainResponse) -> bool:
    """Whether there is nothing to send but these headers, and they lead to a file."""
    if reply.status_code == 200:
        return reply.headers.get("Content-Length") == "0"
    return reply.status_code == 302


def forget_all() -> None:
    """Ask for every link again."""
    with _lock:
        _answers.clear()
