"""The addresses of the site that is set up otherwise: see ``tests/settings_hostile.py``."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from directlinks.admin import DirectLinkAdmin, FileAdmin
from directlinks.models import DirectLink, File

second_admin = admin.AdminSite(name="second")
second_admin.register(File, FileAdmin)
second_admin.register(DirectLink, DirectLinkAdmin)

urlpatterns = [
    path("", include("directlinks.urls")),
    path("api/v4/", include("directlinks.api.urls")),
    *i18n_patterns(
        path("admin/", admin.site.urls),
        path("second-admin/", second_admin.urls),
        prefix_default_language=False,
    ),
]
