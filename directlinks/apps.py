"""The app, and the system checks that it registers."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from directlinks.checks import check_settings, check_surroundings
from directlinks.deploy_checks import check_deployment


class DirectLinksConfig(AppConfig):
    name = "directlinks"
    label = "directlinks"
    verbose_name = _("Direct links")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        checks.register(check_settings, "directlinks")
        checks.register(check_surroundings, "directlinks")
        checks.register(check_deployment, "directlinks", deploy=True)
