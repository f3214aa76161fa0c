"""The visitor's routes. Include them at the root: ``path("", include("directlinks.urls"))``."""

from django.urls import path, re_path

from directlinks.views import ContentView, NotFoundView, OpenView

app_name = "directlinks"

# Everything below f/ is ours, so that every failure there is our answer. "d" and "t" are too short
# to be codes.
urlpatterns = [
    path("f/t/<str:ticket>/<str:name>", ContentView.as_view(), name="content"),
    path("f/d/<str:code>/<str:name>", OpenView.as_view(attachment=True), name="download"),
    path("f/<str:code>/<str:name>", OpenView.as_view(), name="open"),
    re_path(r"^f/[\s\S]*\Z", NotFoundView.as_view(), name="not-found"),
]
