"""A WSGI application in front of another one, which answers for links itself."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, get_path_info, get_script_name
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from directlinks.addresses import link_prefix
from directlinks.conf import conf
from directlinks.core.routes import Kind, Route, parse
from directlinks.counting.choice import site_counter
from directlinks.visiting.answers import counted, known_answer
from directlinks.visiting.lane import end_of_request, quick_headers
from directlinks.visiting.matching import route_of
from directlinks.visiting.resolving import look_of, resolve
from directlinks.visiting.sites import facts_of

# What went wrong in the fast lane; the visit may have been counted, so it is not tried again.
_FAULT = "directlinks.fault"


class DirectLinksWSGI(WSGIHandler):
    """``application``, whatever WSGI application it is, with links answered in front of it.

    The way from environ to request and from response to bytes is Django's own.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        super().__init__()
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        # WSGI has the bytes of a path as Latin-1, and so must be what it is compared with.
        prefix = link_prefix()
        if prefix is None or not environ["PATH_INFO"].startswith(_as_in_environ(prefix)):
            return self.application(environ, start_response)
        try:
            headers = None if conf.debug else self._quick_headers(environ, prefix)
        except Exception as fault:  # noqa: BLE001  # raised again where Django answers for it
            environ[_FAULT] = fault
            headers = None
        if headers is not None:
            start_response("302 Found", headers)
            return []
        return super().__call__(environ, start_response)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django's
        """None: the whole chain is the core that all doors share."""
        self._middleware_chain = convert_exception_to_response(_resolved)

    @staticmethod
    def _quick_headers(environ: dict[str, Any], prefix: str) -> list[tuple[str, str]] | None:
        """Those of an answer for which no request object is needed: most of what a visit costs."""
        look = look_of(environ)
        in_database = site_counter().in_database
        try:
            if conf.CACHE_SECONDS and conf.CORS == "off" and not in_database:
                answer = known_answer(environ, look)
                return None if answer is None or not counted(answer) else list(answer.headers)
            if not in_database or conf.CACHE_SECONDS:
                return None
            route = parse(get_path_info(environ).removeprefix(prefix))
            set_script_prefix(get_script_name(environ))
            facts = facts_of(environ, environ["wsgi.url_scheme"])
            headers = quick_headers(environ, route, look, facts)
            return None if headers is None else list(headers.items())
        finally:
            end_of_request()


def _resolved(request: HttpRequest) -> HttpResponseBase:
    if (fault := request.META.pop(_FAULT, None)) is not None:
        raise fault
    return resolve(request, route_of(request.path_info) or Route(Kind.UNKNOWN))


def _as_in_environ(path: str) -> str:
    return path if path.isascii() else path.encode().decode("latin-1")
