"""The FileFields of a site's own models whose files may have links."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.core.files.storage import Storage
from django.db.models import FileField, Model
from django.db.models.fields.files import FieldFile


class OnDelete(Enum):
    """What becomes of the links of an object that is deleted."""

    REVOKE = "revoke"
    """They stop, and open again if an object with the same key comes back."""
    DELETE = "delete"
    """They are deleted, and with them their history and their numbers."""


REVOKE, DELETE = OnDelete.REVOKE, OnDelete.DELETE


@dataclass(frozen=True, slots=True)
class Registration:
    """A FileField, and how its files appear among the files of this app.

    ``owner`` is a path of attributes from an object to a user, a function of the object that
    returns a user or None, or None for files of the site. ``path`` is a function that returns the
    path in the owner's space. ``when`` is one that returns True if links to the file may open now.
    """

    model_label: str
    field_name: str
    owner: str | Callable[[Any], Any] | None = None
    path: Callable[[Any], str] | None = None
    when: Callable[[Any], bool] | None = None
    on_delete: OnDelete = REVOKE

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
            raise LookupError(f"{self.label} is no FileField.")  # noqa: TRY004  # as above
        return field

    @property
    def storage(self) -> Storage:
        storage: Storage = self.field.storage
        return storage

    def file_of(self, instance: Any) -> FieldFile:
        """Return the file of ``instance``, which is false if it has none."""
        file: FieldFile = getattr(instance, self.field_name)
        return file

    def key_of(self, instance: Any) -> str:
        """Return the primary key of ``instance`` as text; of a child, that of the model's part."""
        meta = self.model._meta
        return str(instance._get_pk_val(meta))


_registrations: dict[str, Registration] = {}
_repeated: list[Registration] = []
_of_models: dict[type[Model], tuple[Registration, ...]] = {}


def add(registration: Registration) -> bool:
    """Add ``registration``, and return True unless its field was registered before."""
    if registration.label in _registrations:
        _repeated.append(registration)
        return False
    _registrations[registration.label] = registration
    _of_models.clear()
    return True


def remove(registration: Registration) -> None:
    """Forget ``registration``. For tests."""
    _registrations.pop(registration.label, None)
    _of_models.clear()
    _repeated[:] = [one for one in _repeated if one.label != registration.label]


def registrations() -> list[Registration]:
    """Return what is registered, each field once."""
    return list(_registrations.values())


def repeated() -> list[Registration]:
    """Return what was registered a second time."""
    return list(_repeated)


def registered(label: str) -> Registration | None:
    """Return what is registered as ``app.model.field``, or None."""
    return _registrations.get(label)


def registrations_of(model: type[Model]) -> tuple[Registration, ...]:
    """Return what is registered of ``model``, of what it inherits from or is a proxy for."""
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
    """Return what is registered of the field that ``file`` is in, or None."""
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
