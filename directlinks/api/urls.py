"""The API's routes. Include them at any prefix; Cloudreve clients expect ``api/v4/``."""

from django.urls import path

from directlinks.api.session import RefreshView, SessionTokenView
from directlinks.api.views import DirectLinkViewSet

app_name = "directlinks-api"

# Whatever follows file/source/ is our answer, so that no log of others shows a code.
urlpatterns = [
    path("file/source", DirectLinkViewSet.as_view({"put": "update"}), name="source"),
    path(
        "file/source/<path:code>",
        DirectLinkViewSet.as_view({"delete": "destroy"}),
        name="source-detail",
    ),
    path("session/token", SessionTokenView.as_view(), name="token"),
    path("session/token/refresh", RefreshView.as_view(), name="token-refresh"),
]
