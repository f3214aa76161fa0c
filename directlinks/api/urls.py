"""The API's routes. Include them at any prefix; Cloudreve clients expect ``api/v4/``.

Every other path below the prefix is answered here too: routes of the site's own go before these.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.urls import URLPattern, path, register_converter
from django.urls.converters import PathConverter

from directlinks.api.base import UnknownRouteView
from directlinks.api.session import RefreshView, SessionTokenView
from directlinks.api.views import DirectLinkViewSet, FileInfoView, RevocationViewSet

app_name = "directlinks-api"


class AnythingConverter(PathConverter):
    """Any text at all: for Django's own ``path`` it ends where a line does."""

    regex = r"[\s\S]+"


register_converter(AnythingConverter, "directlinks-anything")

_ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


def _route(
    route: str, view: Callable[..., Any], name: str, kwargs: dict[str, Any] | None = None
) -> list[URLPattern]:
    """Return ``route`` with a final slash and without one; ``view`` is an ``as_view``.

    The one with a slash comes first, because a code may be any text. It has no name, and a schema
    of the API leaves it out.
    """
    return [path(f"{route}/", view(schema=None), kwargs), path(route, view(), kwargs, name=name)]


_links = partial(DirectLinkViewSet.as_view, {"put": "update", "get": "list"})
_revocation = partial(RevocationViewSet.as_view, {"post": "revoke", **_ONE})
_rotation = partial(DirectLinkViewSet.as_view, {"post": "rotate"})
_statistics = partial(DirectLinkViewSet.as_view, {"get": "statistics"})
_link = partial(DirectLinkViewSet.as_view, _ONE)
_CODE = "file/source/<directlinks-anything:code>"

# What follows file/source/ is answered here, so that no log of others shows a code.
urlpatterns = [
    *_route("file/source", _links, "source"),
    # If codes have six letters, a link may be called "revoke" too.
    *_route("file/source/revoke", _revocation, "source-revoke", {"code": "revoke"}),
    *_route(f"{_CODE}/rotate", _rotation, "source-rotate"),
    *_route(f"{_CODE}/statistics", _statistics, "source-statistics"),
    *_route(_CODE, _link, "source-detail"),
    *_route("file/info", FileInfoView.as_view, "info"),
    *_route("session/token", SessionTokenView.as_view, "token"),
    *_route("session/token/refresh", RefreshView.as_view, "token-refresh"),
    path("", UnknownRouteView.as_view(), name="unknown-route"),
    path("<directlinks-anything:route>", UnknownRouteView.as_view(), name="unknown-route"),
]
