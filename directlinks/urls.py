"""The visitor's routes. Include them at the root: ``path("", include("directlinks.urls"))``."""

from django.urls import re_path

from directlinks.serving.routes import NAME, Kind
from directlinks.serving.views import VisitorView

app_name = "directlinks"

# Everything below f/ is ours, so that every failure there is our answer. "d" and "t" are too short
# to be codes. serving/routes.py says the same for the doors in front of routing.
_ASKED = rf"(?P<secret>[^/]+)/(?P<name>{NAME})\Z"

urlpatterns = [
    re_path(rf"^f/t/{_ASKED}", VisitorView.as_view(kind=Kind.CONTENT), name="content"),
    re_path(rf"^f/d/{_ASKED}", VisitorView.as_view(kind=Kind.DOWNLOAD), name="download"),
    re_path(rf"^f/{_ASKED}", VisitorView.as_view(kind=Kind.OPEN), name="open"),
    re_path(r"^f/[\s\S]*\Z", VisitorView.as_view(), name="not-found"),
]
