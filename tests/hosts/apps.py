"""The same keys on every version of Django, whose migrations are the same then."""

from django.apps import AppConfig


class HostsConfig(AppConfig):
    """The app of the tests."""

    name = "tests.hosts"
    default_auto_field = "django.db.models.BigAutoField"
