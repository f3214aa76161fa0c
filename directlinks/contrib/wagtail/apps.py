"""The app that a site adds."""

from importlib import import_module

from django.apps import AppConfig


class WagtailLinksConfig(AppConfig):
    """Registers the files of Wagtail when all models are there."""

    name = "directlinks.contrib.wagtail"
    label = "directlinks_wagtail"
    verbose_name = "directlinks for Wagtail"

    def ready(self) -> None:
        # It names models, which are not there before.
        libraries = import_module("directlinks.contrib.wagtail.libraries")
        libraries.register()
        libraries.follow_collections()
