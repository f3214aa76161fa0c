"""What the app adds to a site that installs it."""

import subprocess
import sys

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.checks import registry
from django.core.management import call_command, load_command_class
from django.core.management.base import BaseCommand

import directlinks
from directlinks.admin import DirectLinkAdmin, FileAdmin
from directlinks.apps import DirectLinksConfig
from directlinks.models import DirectLink, File


def test_its_label_and_keys_are_fixed() -> None:
    config = apps.get_app_config("directlinks")
    assert isinstance(config, DirectLinksConfig)
    assert (config.label, str(config.verbose_name)) == ("directlinks", "Direct links")
    assert {model._meta.pk.get_internal_type() for model in config.get_models()} == {"BigAutoField"}


def test_both_are_in_the_admin() -> None:
    assert isinstance(admin.site._registry[File], FileAdmin)
    assert isinstance(admin.site._registry[DirectLink], DirectLinkAdmin)


def test_its_checks_have_a_tag() -> None:
    assert registry.registry.tag_exists("directlinks")


def test_its_command_is_there() -> None:
    assert isinstance(load_command_class("directlinks", "directlinks_add"), BaseCommand)


@pytest.mark.django_db
def test_its_migrations_are_complete() -> None:
    call_command("makemigrations", "directlinks", check=True, dry_run=True, verbosity=0)


def test_importing_it_needs_no_settings() -> None:
    code = "import directlinks, sys; print('django' in sys.modules, directlinks.__version__)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={})
    assert answer.stdout.decode().split() == ["False", directlinks.__version__]
