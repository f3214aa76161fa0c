"""The only reader of ``django.conf.settings``.

Each value is read when it is first asked for and kept until Django sends ``setting_changed``, so
``override_settings`` works in tests. Each key of ``DIRECTLINKS`` is declared once: its name,
default, validator, and the id of the system check that reports a wrong value.
"""

from datetime import timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.encoding import force_bytes

from directlinks.core import codes, uris, validators, visits

Value = TypeVar("Value")

# Apps that give each tenant a schema of its own in the database.
TENANT_APPS = ("django_tenants", "tenant_schemas", "django_pgschemas")

# From these Django reads the script prefix if a server sets them, each with the whole path.
PATHS_OF_SERVERS = ("SCRIPT_URL", "REDIRECT_URL")


class Setting(Generic[Value]):
    """One key of ``DIRECTLINKS``, with its default. ``check`` is the id of its system check."""

    name: str

    def __init__(self, default: Value, validator: validators.Validator, check: str) -> None:
        self.default = default
        self.validator = validator
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Value:
        value = cast("Value", site_settings().get(self.name, self.default))
        # What an instance has itself comes before a descriptor without __set__: every visit reads
        # many settings, and Django's own settings are slow to read.
        vars(instance)[self.name] = value
        return value


def declared_settings() -> object:
    """Return ``DIRECTLINKS`` as the site has it, valid or not."""
    return getattr(settings, "DIRECTLINKS", {})


def site_settings() -> dict[str, Any]:
    """Return the site's own ``DIRECTLINKS``, possibly empty."""
    declared = declared_settings()
    # Anything but a dict is reported by a check; here it must not hide that report.
    return declared if isinstance(declared, dict) else {}


PART_TO_FOLLOW = 10
"""A cached target keeps at least 1/10 of its lifetime, so that clients can still follow it, and a
process remembers it for another tenth."""


class Conf:
    """``conf.BATCH_SIZE`` and its like: the site's value, or the default."""

    BATCH_SIZE = Setting(1000, validators.whole_number(0), "directlinks.E002")
    MAX_BATCH_SIZE = Setting(3000, validators.whole_number(1, 5000), "directlinks.E003")
    ALWAYS_200: Setting[bool] = Setting(
        default=False, validator=validators.truth, check="directlinks.E004"
    )
    POLICY = Setting(
        "directlinks.policies.OwnerOrAdmin", validators.dotted_path, "directlinks.E005"
    )
    CODE_LENGTH = Setting(
        codes.LENGTH, validators.whole_number(codes.SHORTEST, codes.LONGEST), "directlinks.E006"
    )
    CODE_ALPHABET = Setting(codes.ALPHABET, validators.alphabet, "directlinks.E007")
    BASE_URL: Setting[str | list[str] | None] = Setting(
        None, validators.base_url, "directlinks.E008"
    )
    TARGET_SECONDS = Setting(600, validators.whole_number(1), "directlinks.E009")
    REDIRECT_HOSTS: Setting[list[str] | None] = Setting(None, validators.hosts, "directlinks.E010")
    REDIRECT_MAX_AGE = Setting(0, validators.whole_number(0), "directlinks.E016")
    DELIVERY: Setting[dict[str, Any] | None] = Setting(
        None, validators.delivery, "directlinks.E017"
    )
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
        validators.types,
        "directlinks.E011",
    )
    CONTENT_TYPES: Setting[dict[str, str]] = Setting(
        {}, validators.content_types_by_extension, "directlinks.E037"
    )
    CORS: Setting[str | list[str]] = Setting("off", validators.cors, "directlinks.E019")
    COUNTER: Setting[str | dict[str, Any]] = Setting(
        "database", validators.counter, "directlinks.E023"
    )
    CACHE_SECONDS = Setting(0, validators.whole_number(0), "directlinks.E024")
    DEFAULT_LIFE: Setting[int | timedelta | None] = Setting(
        None, validators.life, "directlinks.E025"
    )
    MAX_LIFE: Setting[int | timedelta | None] = Setting(None, validators.life, "directlinks.E026")
    GROUP_LIMITS: Setting[dict[str, dict[str, Any]]] = Setting(
        {}, validators.group_limits, "directlinks.E027"
    )
    REUSE: Setting[bool] = Setting(
        default=True, validator=validators.truth, check="directlinks.E028"
    )
    VISIT_RULE = Setting(
        "directlinks.core.visits.classify", validators.dotted_path, "directlinks.E029"
    )
    PREVIEW_AGENTS = Setting(list(visits.PREVIEW_AGENTS), validators.strings, "directlinks.E012")
    UNKNOWN_RATE: Setting[str | None] = Setting("30/min", validators.rate, "directlinks.E030")
    LOGIN_RATE: Setting[str | None] = Setting("10/min", validators.rate, "directlinks.E013")

    @cached_property
    def made(self) -> dict[Any, Any]:
        """Objects made from settings once for all visits, dropped when settings change."""
        return {}

    @cached_property
    def serves_tenants(self) -> bool:
        """True if each tenant has a schema of its own, which the site's middleware chooses."""
        return any(map(apps.is_installed, TENANT_APPS))

    @cached_property
    def debug(self) -> bool:
        return settings.DEBUG

    @cached_property
    def append_slash(self) -> bool:
        return settings.APPEND_SLASH

    @cached_property
    def signing_keys(self) -> list[bytes]:
        """Signing keys, the current one first."""
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return [force_bytes(key) for key in keys]

    @cached_property
    def max_body_bytes(self) -> int:
        """Size of the largest request body that can hold a batch the site accepts."""
        batch = self.MAX_BATCH_SIZE * uris.MAX_BYTES
        ceiling = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return batch if ceiling is None else min(batch, ceiling)

    @cached_property
    def storage_alias(self) -> str:
        return "directlinks" if "directlinks" in settings.STORAGES else "default"

    @cached_property
    def storage_aliases(self) -> list[str]:
        return list(settings.STORAGES)

    def delivery_of(self, alias: str) -> dict[str, Any] | None:
        """Return the backend and options that the site has chosen for a storage, if any."""
        chosen = self.DELIVERY
        if chosen is None or "BACKEND" in chosen:
            return chosen
        return chosen.get(alias)

    def is_delivery_chosen(self, alias: str) -> bool:
        """Return True if the site has chosen a backend for this storage by its alias."""
        return self.DELIVERY is not None and alias in self.DELIVERY

    @cached_property
    def root_urlconf(self) -> str | None:
        """None on a site without URLs, as one that only runs commands."""
        return getattr(settings, "ROOT_URLCONF", None)

    @cached_property
    def languages(self) -> list[str]:
        """Codes of the site's languages, the default one first."""
        others = (code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE)
        return [settings.LANGUAGE_CODE, *others]

    @cached_property
    def site_meta_keys(self) -> tuple[str, ...]:
        """Keys in META, beside the scheme, that decide the site's address in Django."""
        proxy = settings.SECURE_PROXY_SSL_HEADER
        believed = {
            "SCRIPT_NAME": settings.FORCE_SCRIPT_NAME is None,
            "HTTP_X_FORWARDED_HOST": settings.USE_X_FORWARDED_HOST,
            "HTTP_X_FORWARDED_PORT": settings.USE_X_FORWARDED_PORT,
            **({proxy[0]: True} if proxy else {}),
        }
        names = [name for name, is_believed in believed.items() if is_believed]
        return ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", *PATHS_OF_SERVERS, *names)

    @cached_property
    def answer_cache_seconds(self) -> int:
        """Seconds for which a process may cache an answer.

        They are a small part of the lifetime of any target, so that clients can still follow it.
        """
        return min(self.CACHE_SECONDS, self.TARGET_SECONDS // PART_TO_FOLLOW)

    @cached_property
    def is_https(self) -> bool:
        """True if links certainly begin with https:."""
        bases = [self.BASE_URL] if isinstance(self.BASE_URL, str) else self.BASE_URL or []
        known = [base for base in bases if "://" in base]  # else it is the path of a function
        if known:
            return all(base.startswith("https:") for base in known)
        return bool(settings.SECURE_SSL_REDIRECT)

    @cached_property
    def num_proxies(self) -> int:
        """Number of proxies in front of the site, from DRF's NUM_PROXIES; 0 if it is not set."""
        return int(getattr(settings, "REST_FRAMEWORK", {}).get("NUM_PROXIES") or 0)

    @cached_property
    def default_life(self) -> timedelta | None:
        """Lifetime of a new link for which none is given."""
        return _as_timedelta(self.DEFAULT_LIFE)

    @cached_property
    def max_life(self) -> timedelta | None:
        """Maximum lifetime of a link."""
        return _as_timedelta(self.MAX_LIFE)

    @cached_property
    def group_limits(self) -> dict[str, dict[str, Any]]:
        """``GROUP_LIMITS`` with every lifetime as a timedelta."""
        return {
            group: {**limits, "MAX_LIFE": _as_timedelta(limits.get("MAX_LIFE"))}
            for group, limits in self.GROUP_LIMITS.items()
        }

    @cached_property
    def access_lifetime(self) -> timedelta:
        return self._lifetime("ACCESS_TOKEN_LIFETIME", timedelta(hours=1))

    @cached_property
    def refresh_lifetime(self) -> timedelta:
        return self._lifetime("REFRESH_TOKEN_LIFETIME", timedelta(days=14))

    @cached_property
    def blacklist_after_rotation(self) -> bool:
        return bool(getattr(settings, "SIMPLE_JWT", {}).get("BLACKLIST_AFTER_ROTATION", False))

    @cached_property
    def token_user_field(self) -> str:
        """The field of the user model by which simplejwt names the user of a token."""
        return str(getattr(settings, "SIMPLE_JWT", {}).get("USER_ID_FIELD", "id"))

    def _lifetime(self, key: str, default: timedelta) -> timedelta:
        simple_jwt = getattr(settings, "SIMPLE_JWT", {})
        return cast("timedelta", simple_jwt.get(key, default))


def _as_timedelta(life: int | timedelta | None) -> timedelta | None:
    return timedelta(seconds=life) if isinstance(life, int) else life


SETTINGS: dict[str, Setting[Any]] = {
    name: setting for name, setting in vars(Conf).items() if isinstance(setting, Setting)
}

conf = Conf()


def _forget(**kwargs: object) -> None:
    vars(conf).clear()


setting_changed.connect(_forget, dispatch_uid="directlinks.conf")
