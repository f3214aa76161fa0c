"""The app that a site adds."""

from importlib import import_module

from django.apps import AppConfig


class FilerLinksConfig(AppConfig):
    """Registers the files of django-filer when all models are there."""

    name = "directlinks.contrib.filer"
    label = "directlinks_filer"
    verbose_name = "directlinks for django-filer"

    def ready(self) -> None:
        # It names models, which are not there before.
        import_module("directlinks.contrib.filer.libraries").register()
