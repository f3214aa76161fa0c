"""Who changed which link: written to the log of Django's admin."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.utils import translation
from django.utils.translation import gettext_noop

from directlinks.models import DirectLink

CHANGE = 2  # django.contrib.admin.models.CHANGE, which cannot be imported on a site without admin

RESUMED = gettext_noop("resumed")
"""Kept in place of the field ``paused`` of links that are paused no more."""


def changed_fields(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields to record for new ``values``."""
    return [
        RESUMED if (name, value) == ("paused", False) else name for name, value in values.items()
    ]


def remember(links: Iterable[DirectLink], fields: Iterable[str], *, user: Any) -> None:
    """Write down that ``user`` changed the ``fields`` of ``links``, each under its name.

    One statement for all ``links``. Nothing is written if the user is not known, or
    if the site has no admin to show it.
    """
    links, fields = list(links), list(fields)
    if (
        user is None
        or user.pk is None
        or not links
        or not fields
        or not apps.is_installed("django.contrib.admin")
    ):
        return
    apps.get_model("admin", "LogEntry").objects.log_actions(
        user.pk, links, CHANGE, change_message=message_of(fields), single_object=False
    )


def message_of(fields: Iterable[str]) -> str:
    """Return the admin's change message for ``fields``."""
    # As written in the code: who reads it sees it in a language of their own.
    with translation.override(None):
        verbose = {field.name: str(field.verbose_name) for field in DirectLink._meta.fields}
    return json.dumps([{"changed": {"fields": [verbose.get(name, name) for name in fields]}}])
