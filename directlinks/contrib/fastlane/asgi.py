"""ASGI application that answers for links, and calls another one for the rest."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from directlinks.serving.routes import Kind, Route, prefix_in_front, route_of
from directlinks.serving.views import serve_link


class DirectLinksASGI(ASGIHandler):
    """Any ASGI ``application``, with links answered in front of it."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        super().__init__()
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and _is_for_a_link(scope):
            await super().__call__(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django's
        """Load no middleware: the whole chain is the view that all entry points share."""
        self._middleware_chain = convert_exception_to_response(_resolved)


def _is_for_a_link(scope: Any) -> bool:
    prefix = prefix_in_front()
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return prefix is not None and path.startswith(prefix)


async def _resolved(request: HttpRequest) -> HttpResponseBase:
    route = route_of(request.path_info) or Route(Kind.UNKNOWN)
    # Where the rest of the request's synchronous code runs, with its database connections.
    return await sync_to_async(serve_link, thread_sensitive=True)(request, route)
