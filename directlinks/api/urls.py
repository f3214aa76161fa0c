"""The API's routes. Include them at any prefix; Cloudreve clients expect ``api/v4/``."""

from typing import Any

from django.urls import path, register_converter
from django.urls.converters import PathConverter

from directlinks.api.files import FileInfoView
from directlinks.api.session import RefreshView, SessionTokenView
from directlinks.api.sources import DirectLinkViewSet, RevocationViewSet

app_name = "directlinks-api"


class AnythingConverter(PathConverter):
    """Any text at all: for Django's own ``path`` it ends where a line does."""

    regex = r"[\s\S]+"


register_converter(AnythingConverter, "directlinks-anything")

_ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

# Whatever follows file/source/ is our answer, so that no log of others shows a code.
urlpatterns = [
    path(
        "file/source",
        DirectLinkViewSet.as_view({"put": "update", "get": "list"}),
        name="source",
    ),
    # Where codes are of six letters, a link may be called "revoke" too.
    path(
        "file/source/revoke",
        RevocationViewSet.as_view({"post": "revoke", **_ONE}),
        {"code": "revoke"},
        name="source-revoke",
    ),
    path(
        "file/source/<directlinks-anything:code>/rotate",
        DirectLinkViewSet.as_view({"post": "rotate"}),
        name="source-rotate",
    ),
    path(
        "file/source/<directlinks-anything:code>/statistics",
        DirectLinkViewSet.as_view({"get": "statistics"}),
        name="source-statistics",
    ),
    path(
        "file/source/<directlinks-anything:code>",
        DirectLinkViewSet.as_view(_ONE),
        name="source-detail",
    ),
    path("file/info", FileInfoView.as_view(), name="info"),
    path("session/token", SessionTokenView.as_view(), name="token"),
    path("session/token/refresh", RefreshView.as_view(), name="token-refresh"),
]
