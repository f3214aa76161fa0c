"""The FileFields of a site's own models whose files may have links."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.core.files.storage import Storage
from django.core.signals import setting_changed
from django.db import router
from django.db.models import FileField, Model, Q
from django.db.models.expressions import Combinable
from django.db.models.fields.files import FieldFile


class OnDelete(Enum):
    """What happens to the links of an object that is deleted."""

    REVOKE = "revoke"
    """They stop, and open again if an object with the same key comes back."""
    DELETE = "delete"
    """They are deleted, with their history and statistics."""


REVOKE, DELETE = OnDelete.REVOKE, OnDelete.DELETE

# What filter() takes by itself.
Condition = Q | Combinable


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A FileField, and how its files appear among the files of this app.

    ``owner`` is a path of attributes from an object to a user, a function of the object that
    returns a user or None, or None for files of the site. ``path`` is a function that returns the
    path in the owner's space. ``when`` is one that returns True if links to the file may open now,
    or a condition for ``filter()``, which holds for the rows of such objects. ``given_storage``
    is the storage of the files, or a function that returns it, if the field does not say which.
    """

    model_label: str
    field_name: str
    owner: str | Callable[[Any], Any] | None = None
    path: Callable[[Any], str] | None = None
    when: Callable[[Any], bool] | Condition | None = None
    on_delete: OnDelete = REVOKE
    given_storage: Storage | Callable[[], Storage] | None = None

    @property
    def label(self) -> str:
        """``app.model.field``, which stands for the storage of the field in ``storage_alias``."""
        return f"{self.model_label}.{self.field_name}"

    @property
    def model(self) -> type[Model]:
        """The model. Raise LookupError if the site has none of this name."""
        try:
            model: type[Model] = apps.get_model(self.model_label)
        except ValueError as error:  # it has no dot
            raise LookupError(str(error)) from error
        return model

    @property
    def field(self) -> FileField:
        """The field. Raise LookupError if the model has no FileField of this name."""
        try:
            field: Any = self.model._meta.get_field(self.field_name)
        except FieldDoesNotExist as error:
            raise LookupError(str(error)) from error
        if not isinstance(field, FileField):
            raise LookupError(f"{self.label} is not a FileField.")  # noqa: TRY004  # as above
        if field.model is not self.model:
            # Its objects can be saved without those of the child being told.
            raise LookupError(f"{self.label} is declared by {field.model._meta.label}.")
        return field

    @property
    def database(self) -> str:
        """The alias of the database that objects are written to."""
        return router.db_for_write(self.model)

    @property
    def storage(self) -> Storage:
        given = self.given_storage
        if given is None:
            storage: Storage = self.field.storage
            return storage
        return _called(given) if callable(given) else given

    def file_of(self, instance: Any) -> FieldFile:
        """Return the file of ``instance``, which is false if it has none."""
        file: FieldFile = getattr(instance, self.field_name)
        return file

    def key_of(self, instance: Any) -> str:
        """Return the primary key of ``instance`` as text; of a child, that of the model's part."""
        return self.key_as_text(instance._get_pk_val(self.model._meta))

    def key_as_text(self, value: Any) -> str:
        """Return the primary key ``value`` as text."""
        key: Any = self.model._meta.pk
        while key.is_relation:
            key = key.target_field
        # An object that was not read may have "007" or a UUID in another spelling.
        return str(key.to_python(value))


@cache
def _called(function: Callable[[], Storage]) -> Storage:
    """Return what ``function`` returned the first time: a bucket keeps connections."""
    return function()


def _forget_storages(**kwargs: Any) -> None:
    _called.cache_clear()


setting_changed.connect(_forget_storages, dispatch_uid="directlinks.registry")

_registrations: dict[str, Registration] = {}
_duplicates: list[Registration] = []
_of_models: dict[type[Model], tuple[Registration, ...]] = {}


def add(registration: Registration) -> bool:
    """Add ``registration``, and return True unless its field was registered before."""
    if registration.label in _registrations:
        _duplicates.append(registration)
        return False
    _registrations[registration.label] = registration
    _of_models.clear()
    return True


def remove(registration: Registration) -> None:
    """Forget ``registration``. For tests."""
    _registrations.pop(registration.label, None)
    _of_models.clear()
    _duplicates[:] = [one for one in _duplicates if one.label != registration.label]


def registrations() -> list[Registration]:
    """Return all registrations, one for each field."""
    return list(_registrations.values())


def duplicates() -> list[Registration]:
    """Return the registrations of fields that were registered before."""
    return list(_duplicates)


def registration_named(label: str) -> Registration | None:
    """Return the registration of the field ``app.model.field``, or None."""
    return _registrations.get(label)


def registrations_of(model: type[Model]) -> tuple[Registration, ...]:
    """Return the registrations of ``model``, and of the models that it inherits or stands for."""
    found = _of_models.get(model)
    if found is None:
        labels = [
            meta.label_lower
            for kind in model.__mro__
            if (meta := getattr(kind, "_meta", None)) is not None and kind is meta.concrete_model
        ]
        found = _of_models[model] = tuple(
            registration
            for label in labels
            for registration in _registrations.values()
            if registration.model_label == label
        )
    return found


def registration_of(file: FieldFile) -> Registration | None:
    """Return the registration of the field that ``file`` is in, or None."""
    name = file.field.name
    for registration in registrations_of(type(file.instance)):
        if registration.field_name == name:
            return registration
    return None


def label_of(model: "type[Model] | str") -> str:
    """Return the label of ``model``, or of the model that it is a proxy for, in lower case.

    A text that names no model is returned as it is, for a check to report.
    """
    if isinstance(model, str):
        try:
            model = apps.get_model(model)
        except (LookupError, ValueError):
            return str(model)
    concrete: Any = model._meta.concrete_model or model
    return str(concrete._meta.label_lower)
