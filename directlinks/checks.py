"""System checks: one id for each fault, each with what to do about it."""

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import ERROR, CheckMessage, Error, Info
from django.core.checks import Warning as Caution
from django.core.exceptions import FieldError, ValidationError
from django.core.files.storage import FileSystemStorage
from django.db import connections
from django.db.models import BooleanField, CharField, FileField, QuerySet, TextField
from django.db.models.fields.related_descriptors import ReverseManyToOneDescriptor
from django.urls import NoReverseMatch, get_resolver, get_script_prefix, resolve, reverse
from django.utils import translation
from django.utils.module_loading import import_string

from directlinks.conf import SETTINGS, conf, declared_settings, site_settings
from directlinks.core.codes import random_bits
from directlinks.core.paths import nearest_name
from directlinks.counters.base import Counter, loses_tenants, make_counter
from directlinks.delivery.backends import get_delivery_backend
from directlinks.delivery.base import DeliveryBackend
from directlinks.registry import (
    Condition,
    Registration,
    duplicates,
    registration_named,
    registrations,
)
from directlinks.storage import OWN_FOLDER, content_storage, has_local_paths
from directlinks.users import users

ENOUGH_BITS = 120

_OPTIONS_OF_COUNTERS = (
    "'journal' needs the option 'directory', and 'redis' the option 'url': "
    '{"BACKEND": "journal", "OPTIONS": {"directory": "/var/lib/site/counts"}}.'
)


def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return E001 and W001 for ``DIRECTLINKS`` itself, then one id for each of its keys."""
    if not isinstance(declared_settings(), dict):
        return [Error("DIRECTLINKS must be a dict.", id="directlinks.E001")]
    messages: list[CheckMessage] = []
    for name, value in site_settings().items():
        setting = SETTINGS.get(name)
        if setting is None:
            messages.append(_unknown_key(str(name)))
        elif (error := setting.validator(value)) is not None:
            messages.append(Error(f'DIRECTLINKS["{name}"] {error}.', id=setting.check))
    if any(message.level >= ERROR for message in messages):
        return messages
    return [
        *messages,
        *_check_policy(),
        *_check_codes(),
        *_check_batch_sizes(),
        *_check_base_url(),
        *_check_callable("VISIT_RULE", conf.VISIT_RULE, "directlinks.E032"),
        *_check_storage_aliases(),
        *_check_delivery(),
        *_check_counter(),
    ]


def check_surroundings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return E033, E034, E036, W002, W003 and W006, for other settings that affect this app."""
    messages: list[CheckMessage] = []
    storage = content_storage()
    if isinstance(storage, FileSystemStorage) and not storage.base_location:
        messages.append(
            Caution(
                "MEDIA_ROOT is empty, so uploads land in the working directory.",
                hint="Set MEDIA_ROOT to a folder that the web server does not publish, and move "
                f"{OWN_FOLDER}/ there if something was stored already.",
                id="directlinks.W002",
            )
        )
    if not apps.is_installed("rest_framework_simplejwt.token_blacklist"):
        messages.append(
            Caution(
                "Refresh tokens stay valid after logout.",
                hint="Add 'rest_framework_simplejwt.token_blacklist' to INSTALLED_APPS, and run "
                "manage.py migrate.",
                id="directlinks.W003",
            )
        )
    fields = {"pk", *(field.name for field in get_user_model()._meta.get_fields())}
    if conf.token_user_field not in fields:
        key = get_user_model()._meta.pk.name
        messages.append(
            Caution(
                f"Users cannot log in: the user model has no field {conf.token_user_field!r}.",
                hint=f'Set SIMPLE_JWT["USER_ID_FIELD"] to {key!r}.',
                id="directlinks.W006",
            )
        )
    return [*messages, *_check_flags(get_user_model()), *_check_cleanup(), *_check_databases()]


def check_registrations(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return E044 to E050, for fields that were registered and cannot be followed."""
    messages = [message for one in registrations() if (message := _registration_fault(one))]
    return [
        *messages,
        *(
            Error(
                f"{one.label} is registered more than once. The first time counts.",
                hint="Keep one call of directlinks.register() for it.",
                id="directlinks.E046",
            )
            for one in duplicates()
        ),
    ]


def _registration_fault(registration: Registration) -> Error | None:
    """Return what keeps a field from being followed, or None."""
    label, name = registration.model_label, registration.field_name
    try:
        meta: Any = registration.model._meta
    except LookupError:
        return Error(
            f"directlinks.register(): there is no model {label!r} with a table.",
            hint="Write app.Model. An abstract model has no table: register what inherits it.",
            id="directlinks.E044",
        )
    try:
        _ = registration.field
    except LookupError:
        return Error(
            f"directlinks.register(): {label!r} declares no FileField {name!r}.",
            hint=f"It declares: {', '.join(_file_fields(meta)) or 'none'}. Register a field that "
            "comes from another table with the model of that table.",
            id="directlinks.E045",
        )
    if not meta.managed:
        return Error(
            f"directlinks.register(): Django does not manage the table of {label}.",
            hint="Other programs change it without signals, so links would not follow its files.",
            id="directlinks.E048",
        )
    if (fault := _key_fault(meta.pk)) is not None:
        return Error(
            f"directlinks.register(): the primary key of {label} {fault}.",
            hint="Register models with one key of up to 255 characters.",
            id="directlinks.E049",
        )
    if (fault := _owner_fault(registration)) is not None:
        return Error(
            f"directlinks.register(): the owner {registration.owner!r} of {label}.{name}: {fault}.",
            hint='Write attributes that lead to a user, such as "customer.user", or a function.',
            id="directlinks.E047",
        )
    if (fault := _condition_fault(registration)) is not None:
        return Error(
            f"directlinks.register(): `when` of {label}.{name}: {fault}.",
            hint="Write a function of an object, or a condition that filter() takes.",
            id="directlinks.E050",
        )
    return None


def _file_fields(meta: Any) -> list[str]:
    return [field.name for field in meta.local_concrete_fields if isinstance(field, FileField)]


def _key_fault(key: Any) -> str | None:
    if type(key).__name__ == "CompositePrimaryKey":
        return "has several columns"
    while key.is_relation:
        key = key.target_field
    is_text = isinstance(key, CharField | TextField)
    return "may be too long" if is_text and (key.max_length or 256) > 255 else None


def _owner_fault(registration: Registration) -> str | None:
    """Return what is wrong with a path of attributes, as far as models tell."""
    if registration.owner is None or callable(registration.owner):
        return None
    owner: Any = registration.owner
    if not isinstance(owner, str):
        return "it is neither a string nor a function"
    model: Any = registration.model
    for name in owner.split("."):
        fields = {field.name: field for field in model._meta.get_fields()}
        field = fields.get(name)
        if field is None:
            found = getattr(model, name, None)
            if found is None:
                return f"{model.__name__} has no {name!r}"
            # A property may return anything.
            is_many = isinstance(found, ReverseManyToOneDescriptor)
            return f"{model.__name__}.{name} leads to many objects" if is_many else None
        if field.many_to_one and field.related_model is None:
            return f"{model.__name__}.{name} may lead to any model, so write a function"
        if not (field.many_to_one or field.one_to_one):
            return f"{model.__name__}.{name} leads to no single object"
        model = field.related_model
    is_user = issubclass(model, get_user_model())
    return None if is_user else f"it leads to {model.__name__}, which is not the user model"


def _condition_fault(registration: Registration) -> str | None:
    """Return what is wrong with the condition under which links may open."""
    when = registration.when
    if when is None:
        return None
    if not isinstance(when, Condition):
        return None if callable(when) else "it is neither a function nor a condition"
    try:
        QuerySet(registration.model).filter(when)
    except (FieldError, TypeError, ValueError, ValidationError) as error:
        return str(error).removesuffix(".")
    return None


def _check_flags(user_model: Any) -> list[CheckMessage]:
    """Report flags of users that are never ``True``, so that no user has them."""
    messages: list[CheckMessage] = []
    fields = {field.name: field for field in user_model._meta.get_fields()}
    for name in ("is_active", "is_staff"):
        field = fields.get(name)
        if callable(getattr(user_model, name, None)):
            fault, hint = "a method", "Make it a property."
        elif field is not None and not isinstance(field, BooleanField):
            kind = type(field).__name__
            fault, hint = f"of the type {kind}", "Make it a BooleanField, or a property."
        else:
            continue
        messages.append(
            Error(
                f"{user_model.__name__}.{name} is {fault}. Only the value True counts here, so "
                f"{'all users are inactive' if name == 'is_active' else 'no user is staff'}.",
                hint=hint,
                id="directlinks.E033",
            )
        )
    return messages


def _check_databases() -> list[CheckMessage]:
    """Report that rows which refer to each other are written to different databases."""
    places: dict[str, list[str]] = {}
    own = apps.get_app_config("directlinks").get_models()
    rows: list[Any] = [users(), *(model._default_manager for model in own)]
    for some in rows:
        places.setdefault(some.db, []).append(some.model.__name__)
    if len({str(_server_of(alias)) for alias in places}) == 1:
        return []
    listed = "; ".join(f"{', '.join(names)} in {alias!r}" for alias, names in places.items())
    return [
        Error(
            f"Tables that refer to each other are written to different databases: {listed}.",
            hint="Let DATABASE_ROUTERS send the user model and all our models to one database.",
            id="directlinks.E036",
        )
    ]


def _server_of(alias: str) -> list[Any]:
    """Return what tells the database ``alias`` from another one: two aliases may lead to one."""
    described = connections.databases.get(alias, {"NAME": alias})
    return [described.get(name) for name in ("ENGINE", "HOST", "PORT", "NAME")]


def _check_cleanup() -> list[CheckMessage]:
    """Report that django-cleanup deletes contents, as it does if the site selects our model."""
    cache = sys.modules.get("django_cleanup.cache")
    cleaned = [] if cache is None else list(cache.cleanup_models())
    return [
        Error(
            f"django_cleanup deletes the content of each {model.__name__} that is deleted or "
            "replaced, although other models may have the same file.",
            hint=f"Do not select {model.__name__} for it, and do not connect its signals.",
            id="directlinks.E034",
        )
        for model in cleaned
        if issubclass(model, apps.get_model("directlinks.File"))
    ]


def _unknown_key(name: str) -> CheckMessage:
    close = nearest_name(name, SETTINGS)
    hint = f'Did you mean "{close}"?' if close else f"Known keys: {', '.join(SETTINGS)}."
    return Caution(f'DIRECTLINKS["{name}"] is unknown.', hint=hint, id="directlinks.W001")


def _check_policy() -> list[CheckMessage]:
    try:
        policy = import_string(conf.POLICY)
    except ImportError as error:
        return [Error(f'DIRECTLINKS["POLICY"]: {error}', id="directlinks.E014")]
    missing = [name for name in ("allows", "filter") if not hasattr(policy, name)]
    if missing:
        fault = f"{conf.POLICY} has no {' and no '.join(missing)}"
        return [Error(f'DIRECTLINKS["POLICY"]: {fault}.', id="directlinks.E015")]
    return []


def _check_codes() -> list[CheckMessage]:
    bits = random_bits(conf.CODE_LENGTH, conf.CODE_ALPHABET)
    if bits >= ENOUGH_BITS:
        return []
    return [
        Caution(
            f"Link codes have {bits:.0f} random bits and could be guessed.",
            hint=f"Raise CODE_LENGTH until they have {ENOUGH_BITS}.",
            id="directlinks.W004",
        )
    ]


def _check_base_url() -> list[CheckMessage]:
    base = conf.BASE_URL
    if not isinstance(base, str) or "://" in base:
        return []
    hint = f"If an address was meant, it begins with its scheme: 'https://{base}'."
    return _check_callable("BASE_URL", base, "directlinks.E020", hint=hint)


def _check_callable(
    setting: str, path: str, check: str, *, hint: str | None = None
) -> list[CheckMessage]:
    try:
        found = import_string(path)
    except ImportError as error:
        return [Error(f'DIRECTLINKS["{setting}"]: {error}', hint=hint, id=check)]
    if callable(found):
        return []
    return [Error(f'DIRECTLINKS["{setting}"]: {path} cannot be called.', hint=hint, id=check)]


def _check_storage_aliases() -> list[CheckMessage]:
    chosen = conf.DELIVERY
    if chosen is None or "BACKEND" in chosen:
        return []
    return [
        Caution(
            f'DIRECTLINKS["DELIVERY"] names the storage {alias!r}, which STORAGES lacks.',
            hint=f"STORAGES has: {', '.join(conf.storage_aliases)}.",
            id="directlinks.W011",
        )
        for alias in chosen
        if alias not in conf.storage_aliases and registration_named(alias) is None
    ]


def _check_delivery() -> Sequence[CheckMessage]:
    storage = content_storage()
    try:
        backend: object = get_delivery_backend(storage)
    except (ImportError, TypeError) as error:
        return [Error(f'DIRECTLINKS["DELIVERY"]: {error}', id="directlinks.E021")]
    if not isinstance(backend, DeliveryBackend):
        fault = f"`{type(backend).__name__}` must subclass `DeliveryBackend`."
        return [Error(f'DIRECTLINKS["DELIVERY"]: {fault}', id="directlinks.E021")]
    if backend.needs_local_paths and not has_local_paths(storage):
        name = type(backend).__name__
        fault = f"{name} requires local files, which {type(storage).__name__} does not have."
        return [Error(fault, id="directlinks.E022")]
    return backend.check()


def _check_counter() -> Sequence[CheckMessage]:
    try:
        counter: object = make_counter(conf.COUNTER)
    except (ImportError, TypeError, ValueError) as error:
        hint = _OPTIONS_OF_COUNTERS if isinstance(error, TypeError) else None
        return [Error(f'DIRECTLINKS["COUNTER"]: {error}', hint=hint, id="directlinks.E031")]
    if not isinstance(counter, Counter):
        fault = f"`{type(counter).__name__}` must subclass `Counter`."
        return [Error(f'DIRECTLINKS["COUNTER"]: {fault}', id="directlinks.E031")]
    if loses_tenants(counter):
        return [
            Error(
                'DIRECTLINKS["COUNTER"]: this counter collects outside of the database and knows '
                "no schemas of tenants, so downloads are counted in the database.",
                hint='Set it to "database".',
                id="directlinks.E035",
            )
        ]
    return counter.check()


def _check_batch_sizes() -> list[CheckMessage]:
    if conf.BATCH_SIZE <= conf.MAX_BATCH_SIZE:
        return []
    return [
        Caution(
            "BATCH_SIZE is above MAX_BATCH_SIZE and cannot be reached.",
            hint="Raise MAX_BATCH_SIZE or lower BATCH_SIZE.",
            id="directlinks.W005",
        )
    ]


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
    """Return W007 to W009, for what visitors would meet."""
    for name, value in site_settings().items():
        if name in SETTINGS and SETTINGS[name].validator(value) is not None:
            return []  # that error is told by check_settings, and comes first
    return [*_plain_http(), *_active_types(), *_public_media()]


def _plain_http() -> list[CheckMessage]:
    bases = [conf.BASE_URL] if isinstance(conf.BASE_URL, str) else conf.BASE_URL or []
    if not any(base.startswith("http:") for base in bases):
        return []
    return [
        Caution(
            "Links begin with http:, so their codes can be read on the network.",
            hint='Serve links over HTTPS, and use "https:" in DIRECTLINKS["BASE_URL"].',
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
            f"Browsers would show documents that can run scripts: {', '.join(shown)}.",
            hint='Remove them from DIRECTLINKS["INLINE_TYPES"], so that browsers download them.',
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
            hint="Use a separate storage for links: STORAGES['directlinks'] with a location "
            "outside of MEDIA_ROOT and without base_url.",
            id="directlinks.W009",
        )
    ]


def check_routes(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return W012, W013 and W014, for the effect of the site's routes on links."""
    if conf.root_urlconf is None:
        return [_no_routes()]
    default, *others = conf.languages
    paths = [path for name in ("open", "download", "content") if (path := _path(name, default))]
    if not paths:
        return [_no_routes()]
    messages: list[CheckMessage] = []
    # One other language tells: the languages of a site are many, and loading each takes its time.
    if any(_path("open", other) != paths[0] for other in others[:1]):
        messages.append(
            Caution(
                f"The addresses of links have a language prefix, such as {paths[0]}: each language "
                "gives a link another address, and the fast lane knows only one of them.",
                hint='Move include("directlinks.urls") out of i18n_patterns().',
                id="directlinks.W014",
            )
        )
    with translation.override(default):
        shadows = {path: by for path in paths if (by := _shadowed_by(path)) is not None}
    messages += [
        Caution(
            f"Links do not open: {path} is answered by {by}.",
            hint='Move include("directlinks.urls") before the route that matches its paths.',
            id="directlinks.W013",
        )
        for path, by in list(shadows.items())[:1]
    ]
    return messages


def check_routes_behind_the_api(
    app_configs: Sequence[Any] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Return W015 for routes of the site that the API's catch-all answers with 404."""
    routes = [] if conf.root_urlconf is None else get_resolver(conf.root_urlconf).url_patterns
    messages: list[CheckMessage] = []
    prefix: str | None = None
    for route in routes:
        text = str(route.pattern).removeprefix("^")
        if getattr(route, "app_name", None) == "directlinks-api":
            prefix = text
        elif prefix is not None and text.startswith(prefix):
            messages.append(
                Caution(
                    f"The API answers for the route {text!r}: it takes every path that begins with "
                    f"'/{prefix}'.",
                    hint='Move the route before include("directlinks.api.urls").',
                    id="directlinks.W015",
                )
            )
    return messages[:1]


def check_clients(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return I001 if the site has an API for Cloudreve clients and no ALWAYS_200 setting."""
    if "ALWAYS_200" in site_settings() or conf.root_urlconf is None:
        return []
    try:
        api = reverse("directlinks-api:source", conf.root_urlconf)
    except NoReverseMatch:
        return []
    if not api.endswith("/api/v4/file/source"):
        return []
    return [
        Info(
            "The API is where Cloudreve's clients expect it, and its failures have HTTP statuses "
            "of their own, which most of these clients take for a broken connection.",
            hint='Set DIRECTLINKS["ALWAYS_200"] to True for such clients, and to False if the '
            "only the site's own programs call the API.",
            id="directlinks.I001",
        )
    ]


def _no_routes() -> CheckMessage:
    return Caution(
        "ROOT_URLCONF does not include directlinks.urls, so links cannot be created.",
        hint='Add path("", include("directlinks.urls")) to it, in no other namespace.',
        id="directlinks.W012",
    )


def _path(name: str, language: str) -> str | None:
    """Return the path of a link without the script prefix; None if the site has no such route."""
    try:
        with translation.override(language):
            path = reverse(f"directlinks:{name}", conf.root_urlconf, args=["Code2345", "a.txt"])
    except NoReverseMatch:
        return None
    return "/" + path.removeprefix(get_script_prefix())


def _shadowed_by(path: str) -> str | None:
    """Return the view that answers ``path``, which some route has, in place of ours."""
    match = resolve(path, conf.root_urlconf)
    return None if match.app_names[-1:] == ["directlinks"] else match.view_name
