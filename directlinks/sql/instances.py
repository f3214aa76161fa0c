"""Instances of models from rows of a written statement."""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.db.models.base import ModelState


def stored(model: Any, using: str, columns: dict[str, Any], **related: Any) -> Any:
    """An instance of ``model`` that came from the database with the alias ``using``.

    It comes to life as one that is unpickled: without ``__init__`` and its signals, which take five
    times as long as the rest. What is not in ``columns`` is deferred; ``related`` are instances
    that are at hand, by the names of the fields that lead to them.
    """
    instance = model.__new__(model)
    state = columns["_state"] = ModelState()
    state.db = using
    state.adding = False
    state.fields_cache = related
    instance.__dict__ = columns
    return instance


def reader(field: "Field[Any, Any]", connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """What makes a value of ``field`` from what the driver returns, as every query does it."""
    column = field.get_col(field.model._meta.db_table)
    convert = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]

    def read(value: Any) -> Any:
        for conversion in convert:
            value = conversion(value, column, connection)
        return value

    return read
