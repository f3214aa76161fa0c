"""Instances of models from rows of a written statement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState

Convert = Callable[[Any, Any, Any], Any]


class Instances:
    """Makes instances of ``model`` that came from the database behind ``connection``.

    They come to life as those that are unpickled: without ``__init__`` and its signals, which take
    five times as long as the rest. What is neither in ``fields`` nor in ``known`` is deferred.
    """

    def __init__(
        self,
        model: Any,
        connection: BaseDatabaseWrapper,
        fields: Sequence[str],
        known: Mapping[str, Any],
    ) -> None:
        self.model = model
        self.new = model.__new__
        self.using = connection.alias
        self.known = dict(known)
        columns = [model._meta.get_field(name) for name in fields]
        self.names = [field.attname for field in columns]
        self.conversions = [
            (field.attname, convert, column)
            for field in columns
            for column in [field.get_col(model._meta.db_table)]
            for convert in _conversions(column, connection)
        ]
        self.connection = connection

    def of(self, values: Sequence[Any]) -> Any:
        """One instance with ``values``, one for each of the fields."""
        content = self.known.copy()
        content.update(zip(self.names, values, strict=True))
        for name, convert, column in self.conversions:
            content[name] = convert(content[name], column, self.connection)
        content["_state"] = state = ModelState()
        state.db = self.using
        state.adding = False
        instance = self.new(self.model)
        instance.__dict__ = content
        return instance


def _conversions(column: Any, connection: BaseDatabaseWrapper) -> list[Convert]:
    """What makes the value of ``column`` from what the driver returns, as every query does it."""
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
