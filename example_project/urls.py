from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("directlinks.urls")),
    path("api/v4/", include("directlinks.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(template_name="example_project/api.html"),
        name="docs",
    ),
    # An example has no page of its own.
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
