"""The statements that a database is asked with."""

import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connections

from directlinks.sql.batches import (
    Batches,
    BatchTexts,
    PostgreSQLBatches,
    SQLiteBatches,
    WrittenBatches,
    batch_texts,
)
from directlinks.sql.links import (
    Links,
    LinkTexts,
    PostgreSQLLinks,
    SQLiteLinks,
    WrittenLinks,
    link_texts,
)
from directlinks.sql.orm import ORMBatches, ORMLinks
from directlinks.users import active_column, active_where, activity_is_computed

_WRITTEN: dict[str, type[WrittenLinks]] = {
    "sqlite": SQLiteLinks,
    "postgresql": PostgreSQLLinks,
    # It has no UPDATE that returns what it changed, so it is asked, then told.
    "mysql": WrittenLinks,
}

_WRITTEN_BATCHES: dict[str, type[WrittenBatches]] = {
    "sqlite": SQLiteBatches,
    "postgresql": PostgreSQLBatches,
    "mysql": WrittenBatches,
}


def links_of(model: Any, written: Mapping[str, type[WrittenLinks]] = _WRITTEN) -> Links:
    """Return the queries of links for ``model``, the class DirectLink.

    ``written`` has the class by the database's vendor. Always for the database that is written to:
    a replica that lags would open a revoked link.
    """
    using = model.objects.db
    connection: Any = connections[using]
    links = written.get(connection.vendor)
    if links is None or _lacks_json(connection) or _lacks_column(model):
        return ORMLinks(model, using)
    return links(connection, _link_texts(using, model))


def batches_of(model: Any) -> Batches:
    """Return the batch queries for ``model``, the class DirectLink.

    Always for the database that is written to: a replica that lags would miss a file that its owner
    has just uploaded, and links that were just made.
    """
    using = model.objects.db
    connection: Any = connections[using]
    written = _WRITTEN_BATCHES.get(connection.vendor)
    if written is None or _lacks_json(connection):
        return ORMBatches(model, using)
    return written(connection, model, _batch_texts(using, model))


def _lacks_json(connection: Any) -> bool:
    """Return True if the server is too old for the written statements."""
    if connection.vendor == "sqlite":
        return sqlite3.sqlite_version_info < (3, 38)
    if connection.vendor == "mysql" and connection.mysql_is_mariadb:
        return bool(connection.mysql_version < (10, 6))
    return False


@cache
def _lacks_column(model: Any) -> bool:
    """Return True if no column of the table of users says who is active, and yet not all are."""
    file = model._meta.get_field("file").related_model
    users = file._meta.get_field("owner").related_model
    return activity_is_computed(users) or (
        # It is in another table, such as that of a parent model.
        active_column(users) is None and bool(active_where(users, "owner"))
    )


@cache
def _link_texts(using: str, model: Any) -> LinkTexts:
    # Names of tables and their quoting stay the same as long as the process lives.
    return link_texts(connections[using], model)


@cache
def _batch_texts(using: str, model: Any) -> BatchTexts:
    return batch_texts(connections[using], model)
