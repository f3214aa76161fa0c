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
    BatchQueries,
    BatchStatements,
    PostgreSQLBatchQueries,
    RawBatchQueries,
    SQLiteBatchQueries,
    batch_statements,
)
from directlinks.sql.links import (
    LinkQueries,
    LinkStatements,
    PostgreSQLLinkQueries,
    RawLinkQueries,
    SQLiteLinkQueries,
    link_statements,
)
from directlinks.sql.orm import ORMBatchQueries, ORMLinkQueries
from directlinks.users import active_column, active_where, activity_is_computed

_RAW_LINKS: dict[str, type[RawLinkQueries]] = {
    "sqlite": SQLiteLinkQueries,
    "postgresql": PostgreSQLLinkQueries,
    # It has no UPDATE that returns what it changed, so it is asked, then told.
    "mysql": RawLinkQueries,
}

_RAW_BATCHES: dict[str, type[RawBatchQueries]] = {
    "sqlite": SQLiteBatchQueries,
    "postgresql": PostgreSQLBatchQueries,
    "mysql": RawBatchQueries,
}


def get_link_queries(written: Mapping[str, type[RawLinkQueries]] = _RAW_LINKS) -> LinkQueries:
    """Return what reads and counts single links; ``written`` are classes by database vendor."""
    using = DirectLink.objects.db
    connection: Any = connections[using]
    links = written.get(connection.vendor)
    if links is None or _lacks_json(connection) or _lacks_column():
        return ORMLinkQueries(using)
    return links(connection, _link_statements(using))


def get_batch_queries() -> BatchQueries:
    """Return what finds the files of a batch and makes their links."""
    using = DirectLink.objects.db
    connection: Any = connections[using]
    written = _RAW_BATCHES.get(connection.vendor)
    if written is None or _lacks_json(connection):
        return ORMBatchQueries(using)
    return written(connection, _batch_statements(using), ORMBatchQueries(using))


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
def _link_statements(using: str) -> LinkStatements:
    # Names of tables and their quoting stay the same as long as the process lives.
    return link_statements(connections[using])


@cache
def _batch_statements(using: str) -> BatchStatements:
    return batch_statements(connections[using])
