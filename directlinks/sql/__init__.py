"""The few statements that the ORM would be too slow for, and which of them a database gets.

Both functions always speak to the database that is written to. A replica that lags would open a
revoked link, and miss a file that its owner has just uploaded or a link that was just made.
"""

import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections

from directlinks.models import DirectLink
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

_WRITTEN_LINKS: dict[str, type[WrittenLinks]] = {
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


def get_links(written: Mapping[str, type[WrittenLinks]] = _WRITTEN_LINKS) -> Links:
    """Return what reads and counts single links; ``written`` are classes by database vendor."""
    using = DirectLink.objects.db
    connection: Any = connections[using]
    links = written.get(connection.vendor)
    if links is None or _lacks_json(connection) or _lacks_column():
        return ORMLinks(using)
    return links(connection, _link_texts(using))


def get_batches() -> Batches:
    """Return what finds the files of a batch and makes their links."""
    using = DirectLink.objects.db
    connection: Any = connections[using]
    written = _WRITTEN_BATCHES.get(connection.vendor)
    if written is None or _lacks_json(connection):
        return ORMBatches(using)
    return written(connection, _batch_texts(using))


def _lacks_json(connection: Any) -> bool:
    """Return True if the server is older than what the written statements are made of."""
    if connection.vendor == "sqlite":
        return sqlite3.sqlite_version_info < (3, 38)
    if connection.vendor == "mysql" and connection.mysql_is_mariadb:
        return bool(connection.mysql_version < (10, 6))
    return False


@cache
def _lacks_column() -> bool:
    """Return True if no column of the table of users says who is active, and yet not all are."""
    users = get_user_model()
    return activity_is_computed(users) or (
        # It is in another table, such as that of a parent model.
        active_column(users) is None and bool(active_where(users, "owner"))
    )


@cache
def _link_texts(using: str) -> LinkTexts:
    # Names of tables and their quoting stay the same as long as the process lives.
    return link_texts(connections[using])


@cache
def _batch_texts(using: str) -> BatchTexts:
    return batch_texts(connections[using])
