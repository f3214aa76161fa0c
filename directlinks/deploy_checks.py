"""Checks of ``manage.py check --deploy``: what is right on a desk and wrong on the network."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution
from django.core.files.storage import FileSystemStorage
from django.urls import get_script_prefix

from directlinks.conf import SETTINGS, conf, site_settings
from directlinks.storage import content_storage

# Documents that a browser runs code in.
ACTIVE_TYPES = (
    "application/xhtml+xml",
    "application/xml",
    "image/svg+xml",
    "message/rfc822",
    "multipart/related",
    "text/html",
    "text/javascript",
    "text/xml",
)


def check_deployment(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """W007 to W009, for what visitors would meet."""
    for name, value in site_settings().items():
        if name in SETTINGS and SETTINGS[name].fault(value) is not None:
            return []  # that error is told by check_settings, and comes first
    return [*_plain_http(), *_active_types(), *_public_media()]


def _plain_http() -> list[CheckMessage]:
    bases = [conf.BASE_URL] if isinstance(conf.BASE_URL, str) else conf.BASE_URL or []
    if not any(base.startswith("http:") for base in bases):
        return []
    return [
        Caution(
            "Links begin with http:, so their codes can be read on the network.",
            hint='Serve links by TLS, and say "https:" in DIRECTLINKS["BASE_URL"].',
            id="directlinks.W007",
        )
    ]


def _active_types() -> list[CheckMessage]:
    shown = [
        kind
        for kind in ACTIVE_TYPES
        if any(fnmatchcase(kind, pattern) for pattern in conf.INLINE_TYPES)
    ]
    if not shown:
        return []
    return [
        Caution(
            f"Browsers would show documents that can act: {', '.join(shown)}.",
            hint='Take them out of DIRECTLINKS["INLINE_TYPES"], so that they are downloads.',
            id="directlinks.W008",
        )
    ]


def _public_media() -> list[CheckMessage]:
    storage = content_storage()
    if not isinstance(storage, FileSystemStorage) or storage.base_url in (
        None,
        "",
        "/",
        get_script_prefix(),
    ):
        return []
    # A storage that names no address has MEDIA_URL, which publishes MEDIA_ROOT and nothing else.
    media = FileSystemStorage()
    if storage.base_url == media.base_url and not Path(storage.location).is_relative_to(
        media.location
    ):
        return []
    return [
        Caution(
            f"The storage of the links has a public address, {storage.base_url}: if the web "
            "server publishes it, files can be downloaded without a link, uncounted.",
            hint="Give the links a storage of their own: STORAGES['directlinks'] with a location "
            "outside of MEDIA_ROOT and without base_url.",
            id="directlinks.W009",
        )
    ]
