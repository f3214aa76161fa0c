"""Middleware that answers links before the rest of the middleware runs.

Put it first in MIDDLEWARE. It skips what the site's other middleware would do to a link: sessions,
users, CSRF, the headers and redirects of SecurityMiddleware, compression. ALLOWED_HOSTS holds.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from directlinks.serving.routes import route_of
from directlinks.serving.views import serve_link

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class DirectLinksMiddleware:
    """Answers links, under WSGI and ASGI alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if self.is_async:
            return self._answer_in_loop(request)
        route = route_of(request.path_info)
        return self.get_response(request) if route is None else serve_link(request, route)

    async def _answer_in_loop(self, request: HttpRequest) -> HttpResponseBase:
        route = route_of(request.path_info)
        if route is None:
            return await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        # Where the rest of the request's synchronous code runs, with its database connections.
        return await sync_to_async(serve_link, thread_sensitive=True)(request, route)
