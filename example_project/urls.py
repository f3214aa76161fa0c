from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("directlinks.urls")),
    path("api/v4/", include("directlinks.api.urls")),
    # An example has no page of its own.
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
