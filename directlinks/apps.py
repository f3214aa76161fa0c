"""The app, and the system checks that it registers."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.core import checks
from django.utils.translation import gettext_lazy as _

from directlinks.checks import (
    check_clients,
    check_deployment,
    check_registrations,
    check_routes,
    check_routes_behind_the_api,
    check_settings,
    check_surroundings,
)


class DirectLinksConfig(AppConfig):
    """The app ``directlinks``."""

    name = "directlinks"
    label = "directlinks"
    verbose_name = _("Direct links")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        checks.register(check_settings, "directlinks")
        checks.register(check_surroundings, "directlinks")
        checks.register(check_registrations, "directlinks")
        checks.register(check_routes, "directlinks")
        checks.register(check_routes_behind_the_api, "directlinks")
        checks.register(check_deployment, "directlinks", deploy=True)
        checks.register(check_clients, "directlinks", deploy=True)
        if apps.is_installed("drf_spectacular"):
            # By its name, because a site without it cannot import what describes the API to it.
            import_module("directlinks.api.schema")
