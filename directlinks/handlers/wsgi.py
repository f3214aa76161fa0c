"""A WSGI application in front of another one, which answers for links itself."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from directlinks.core.routes import Kind, Route
from directlinks.visiting.lane import quick_reply
from directlinks.visiting.matching import prefix_in_front, route_of
from directlinks.visiting.resolving import FAULT, resolve

_status_line = lru_cache(lambda status_code: f"{status_code} {HTTPStatus(status_code).phrase}")


class DirectLinksWSGI(WSGIHandler):
    """Any WSGI ``application``, with links answered in front of it.

    The way from environ to request and from response to bytes is Django's own.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        super().__init__()
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        # WSGI has the bytes of a path as Latin-1, and so must be what it is compared with.
        prefix = prefix_in_front()
        if prefix is None or not environ.get("PATH_INFO", "").startswith(_as_in_environ(prefix)):
            return self.application(environ, start_response)
        try:
            reply = quick_reply(environ, prefix)
        except Exception as fault:  # noqa: BLE001  # raised again where it is answered
            environ[FAULT] = fault
            reply = None
        if reply is None:
            return super().__call__(environ, start_response)
        start_response(_status_line(reply.status_code), list(reply.headers.items()))
        if reply.body is None:
            return []
        return reply.body.sent_by(environ)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django's
        """None: the whole chain is the core that all doors share."""
        self._middleware_chain = convert_exception_to_response(_resolved)


def _resolved(request: HttpRequest) -> HttpResponseBase:
    return resolve(request, route_of(request.path_info) or Route(Kind.UNKNOWN))


def _as_in_environ(path: str) -> str:
    return path if path.isascii() else path.encode().decode("latin-1")
