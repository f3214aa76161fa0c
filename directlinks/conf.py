"""The only reader of ``django.conf.settings``.

Each value is read when it is asked for, so a test's ``override_settings`` works, and each key of
``DIRECTLINKS`` is declared once: its name, its default, what it may hold, and the id of the system
check that says so when it holds something else.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.encoding import force_bytes

from directlinks.core import codes, visits

Value = TypeVar("Value")
Fault = Callable[[object], str | None]


class Setting(Generic[Value]):
    """One key of ``DIRECTLINKS``, with its default. Checked by ``fault``, reported as ``check``."""

    name: str

    def __init__(self, default: Value, fault: Fault, check: str) -> None:
        self.default = default
        self.fault = fault
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Value:
        return cast("Value", site_settings().get(self.name, self.default))


def declared_settings() -> object:
    """``DIRECTLINKS`` as the site has it, right or wrong."""
    return getattr(settings, "DIRECTLINKS", {})


def site_settings() -> dict[str, Any]:
    """The site's own ``DIRECTLINKS``, possibly empty."""
    declared = declared_settings()
    # Anything but a dict is reported by a check; here it must not hide that report.
    return declared if isinstance(declared, dict) else {}


def _at_least(least: int) -> Fault:
    def fault(value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return None
        return f"must be a whole number of at least {least}"

    return fault


def _truth(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


def _dotted_path(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", value):
        return None
    return "must be the dotted path of a class"


def _code_length(value: object) -> str | None:
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and codes.SHORTEST <= value <= codes.LONGEST
    ):
        return None
    return f"must be a whole number from {codes.SHORTEST} to {codes.LONGEST}"


def _alphabet(value: object) -> str | None:
    if (
        isinstance(value, str)
        and len(set(value)) == len(value) >= 2
        and re.fullmatch(r"[0-9A-Za-z_-]+", value)
    ):
        return None
    return "must be a string of two or more different letters, digits, - or _"


def _base_url(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            parts = urlsplit(value)
        except ValueError as error:
            return f"must be an address: {error}"
        extras = parts.query or parts.fragment or "@" in parts.netloc
        if parts.scheme in ("http", "https") and parts.hostname and not extras:
            return None
    return "must be None or an address like 'https://files.example.org', without a query"


def _strings(value: object) -> str | None:
    if isinstance(value, list | tuple | set | frozenset) and all(
        isinstance(item, str) and item for item in value
    ):
        return None
    return "must be a list of strings, none of them empty"


def _strings_or_none(value: object) -> str | None:
    return None if value is None else _strings(value)


def _rate(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]*/(s|m|h|d)[a-z]*", value):
        return None
    return "must be None or a rate like '10/min' (per s, min, hour or day)"


class Conf:
    """``conf.BATCH_SIZE`` and its like: the site's value, or the default."""

    BATCH_SIZE = Setting(1000, _at_least(0), "directlinks.E002")
    MAX_BATCH_SIZE = Setting(3000, _at_least(1), "directlinks.E003")
    ALWAYS_200: Setting[bool] = Setting(default=False, fault=_truth, check="directlinks.E004")
    POLICY = Setting("directlinks.policies.OwnerOrAdmin", _dotted_path, "directlinks.E005")
    CODE_LENGTH = Setting(codes.LENGTH, _code_length, "directlinks.E006")
    CODE_ALPHABET = Setting(codes.ALPHABET, _alphabet, "directlinks.E007")
    BASE_URL: Setting[str | None] = Setting(None, _base_url, "directlinks.E008")
    TARGET_SECONDS = Setting(600, _at_least(1), "directlinks.E009")
    REDIRECT_HOSTS: Setting[list[str] | None] = Setting(None, _strings_or_none, "directlinks.E010")
    INLINE_TYPES = Setting(
        [
            "image/png",
            "image/jpeg",
            "image/gif",
            "image/webp",
            "image/avif",
            "audio/*",
            "video/*",
            "text/plain",
            "application/pdf",
        ],
        _strings,
        "directlinks.E011",
    )
    PREVIEW_AGENTS = Setting(list(visits.PREVIEW_AGENTS), _strings, "directlinks.E012")
    LOGIN_RATE: Setting[str | None] = Setting("10/min", _rate, "directlinks.E013")

    @property
    def debug(self) -> bool:
        return settings.DEBUG

    @property
    def signing_keys(self) -> list[bytes]:
        """The key that signs, then those that were in use before it."""
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return [force_bytes(key) for key in keys]

    @property
    def max_body_bytes(self) -> int:
        """The largest request body that can hold a batch the site accepts."""
        batch = self.MAX_BATCH_SIZE * 16 * 1024
        ceiling = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return batch if ceiling is None else min(batch, ceiling)

    @property
    def storage_alias(self) -> str:
        return "directlinks" if "directlinks" in settings.STORAGES else "default"

    @property
    def access_lifetime(self) -> timedelta:
        return self._lifetime("ACCESS_TOKEN_LIFETIME", timedelta(hours=1))

    @property
    def refresh_lifetime(self) -> timedelta:
        return self._lifetime("REFRESH_TOKEN_LIFETIME", timedelta(days=14))

    @property
    def token_user_field(self) -> str:
        """The field of the user model by which simplejwt names the user of a token."""
        return str(getattr(settings, "SIMPLE_JWT", {}).get("USER_ID_FIELD", "id"))

    def _lifetime(self, key: str, default: timedelta) -> timedelta:
        simple_jwt = getattr(settings, "SIMPLE_JWT", {})
        return cast("timedelta", simple_jwt.get(key, default))


SETTINGS: dict[str, Setting[Any]] = {
    name: setting for name, setting in vars(Conf).items() if isinstance(setting, Setting)
}

conf = Conf()
