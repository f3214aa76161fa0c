"""Model fields: exact and caseless text, contents that notice an assignment, datetimes."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields.files import FieldFile, FileDescriptor
from django.db.models.functions import Collate
from django.db.models.lookups import IContains
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy as _

from directlinks.conf import conf
from directlinks.core import validators
from directlinks.registry import registration_named
from directlinks.storage import are_same, content_alias

FAR_AWAY = _("This date is out of range.")
ELSEWHERE = _("This file is in another storage. Assign an open file to copy it.")

_COLLATIONS = {"mysql": "utf8mb4_bin", "postgresql": "C", "sqlite": "BINARY"}
# MariaDB's utf8mb4_bin pads: it takes "a" and "a " for the same text.
_MARIADB_COLLATION = "utf8mb4_nopad_bin"


class ExactText(models.Field):  # type: ignore[type-arg]  # not generic at run time
    """A column in binary collation, and in full Unicode if the database has less by default.

    The collation is chosen when the column is made, so one migration fits every database.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if getattr(connection, "mysql_is_mariadb", False):
            parameters["collation"] = _MARIADB_COLLATION
        else:
            parameters["collation"] = _COLLATIONS.get(connection.vendor)
        return parameters


class ExactCharField(ExactText, models.CharField):  # type: ignore[type-arg]  # as above
    """A CharField in which ``A`` is not ``a``, no locale reorders, and blanks at the ends count."""

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(*args, **{"strip": False, **kwargs})


@ExactCharField.register_lookup
class CaselessContains(IContains):
    """``icontains`` that takes ``É`` for ``é`` in spite of the binary collation.

    SQLite knows the case of ASCII alone, in each collation.
    """

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Any]:
        return self._in_collation("default").as_sql(compiler, connection)

    def as_mysql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        return self._in_collation("utf8mb4_general_ci").as_sql(compiler, connection)

    def _in_collation(self, collation: str) -> IContains:
        return IContains(Collate(self.lhs, collation), self.rhs)


class UnicodeText(models.Field):  # type: ignore[type-arg]  # as above
    """A column in the database's own collation, and in full Unicode if MySQL has less."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_general_ci"
        return parameters


class UnicodeCharField(UnicodeText, models.CharField):  # type: ignore[type-arg]  # as above
    """A CharField for what people write to each other."""


class UnicodeTextField(UnicodeText, models.TextField):  # type: ignore[type-arg]  # as above
    """A TextField for what people write to each other."""


class Content(FieldFile):
    """A content in the storage that its row names; without a row, in the one that it is given."""

    instance: Any  # a File, or None
    field: Any

    @property
    def storage(self) -> Storage:
        """Return the storage. Raise InvalidStorageError if STORAGES has it no more."""
        if self.instance is None:
            return self._storage
        storage: Storage = self.field.storage_at(self.instance.storage_alias)
        return storage

    @storage.setter
    def storage(self, storage: Storage) -> None:
        self._storage = storage

    def save(self, name: str, content: Any, save: bool = True) -> None:  # noqa: FBT001, FBT002  # Django's
        """Store ``content`` where all new contents go."""
        self.instance.storage_alias = content_alias()
        super().save(name, content, save)


class ContentDescriptor(FileDescriptor):
    """Remembers that a content was assigned, also one of the same name with other bytes.

    What is assigned lies, or is going to lie, where new contents go, unless another row has it.
    """

    def __set__(self, instance: models.Model, value: Any) -> None:
        # A form without an upload assigns what is there already.
        unchanged = isinstance(value, FieldFile) and value is instance.__dict__.get(
            self.field.attname
        )
        field: Any = self.field
        super().__set__(instance, field.taken(value))
        if not unchanged:
            instance.__dict__["content_is_new"] = True
            # A row that is being read gets its own after this: the column comes later.
            instance.__dict__["storage_alias"] = _alias_of(value)


def _alias_of(value: Any) -> str:
    """Return the alias of the storage of ``value``, a content to assign."""
    row = value.instance if isinstance(value, Content) and value else None
    # Django's own mark, which its stubs do not know.
    if row is None or not value._committed:
        return content_alias()
    alias: str = row.storage_alias
    return alias


class ContentField(ExactText, models.FileField):
    """A FileField of exact names; its instance notes each assignment as ``content_is_new``.

    A file of another field is used without copying it if it is in the same storage.
    """

    attr_class = Content
    descriptor_class = ContentDescriptor

    def storage_at(self, alias: str) -> Storage:
        """Return the storage with ``alias``, or of the registered field of this label.

        Raise InvalidStorageError if there is neither.
        """
        if alias == conf.storage_alias:
            return self.storage
        registration = registration_named(alias)
        return storages[alias] if registration is None else registration.storage

    def get_prep_value(self, value: Any) -> Any:
        """Return the name that ``value`` has in the storage. Raise as ``taken`` does."""
        return super().get_prep_value(self.taken(value))

    def taken(self, value: Any) -> Any:
        """Return ``value``, or what to assign to this field if it is a file of another one.

        Raise ValidationError if it is stored elsewhere: its name would be that of another file.
        """
        if not isinstance(value, FieldFile) or value.field is self:
            return value
        # Django's own mark, which its stubs do not know.
        if value and not value._committed:  # type: ignore[attr-defined]
            return File(value.file, name=value.name)
        if value and not are_same(value.storage, self.storage):
            raise ValidationError({self.name: ValidationError(ELSEWHERE, code="elsewhere")})
        return value.name


def validate_datetime(moment: datetime) -> None:
    """Raise ValidationError in the first and last years, which no time zone can convert."""
    if not validators.is_near(moment):
        raise ValidationError(FAR_AWAY, code="far_away")


class ReadableDateTimeField(models.DateTimeField):  # type: ignore[type-arg]  # as above
    """A DateTimeField whose every value can be read again, in any time zone, by any database."""

    default_validators = [validate_datetime]
