"""Links that are read and counted by the database driver itself, without Django's cursor.

Django's cursor costs as much as the driver's. What watches Django's cursor for the whole process,
such as Sentry, does not see these statements.
"""

from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.sql import get_link_queries
from directlinks.sql.links import (
    LinkQueries,
    Parameters,
    PostgreSQLLinkQueries,
    RawLinkQueries,
    SQLiteLinkQueries,
)


class DriverLinkQueries(RawLinkQueries):
    """The same statements, by the driver if ``may_use_driver``, else by Django's cursor."""

    def _fetch_one(self, text: str, parameters: Parameters) -> Any:
        if not may_use_driver(self.connection):
            return super()._fetch_one(text, parameters)
        try:
            return self._run(text, parameters)
        except Exception:
            with self.connection.wrap_database_errors:  # it makes them Django's
                raise

    def _run(self, text: str, parameters: Parameters) -> Any:
        """Return the first row, or None, without Django's care."""
        cursor = self.connection.connection.cursor()
        cursor.execute(text, parameters)
        return cursor.fetchone()


def may_use_driver(connection: BaseDatabaseWrapper) -> bool:
    """Return True if nothing on ``connection`` needs Django's cursor, and connect if necessary.

    Wrappers and the log of queries must see each statement, a transaction must contain it, and a
    backend that is not Django's own may do more when it makes a cursor.
    """
    connection.close_if_health_check_failed()
    if connection.connection is None:
        connection.ensure_connection()
    return not (
        connection.in_atomic_block
        or connection.execute_wrappers
        or connection.queries_logged
        or not connection.autocommit
        or "cursor" in vars(connection)
        or not type(connection).__module__.startswith("django.")
    )


class SQLiteDriverLinkQueries(DriverLinkQueries, SQLiteLinkQueries):
    """Statements of SQLite, sent to the driver."""

    def _claim(self, visit: tuple[Any, ...], day: Any) -> Any:
        if not may_use_driver(self.connection):
            return super()._claim(visit, day)
        execute = self.connection.connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            found = execute(_own_spelling(self.texts.claim), visit).fetchone()
            if found is not None:
                execute(_own_spelling(self.texts.count_day), (found[0], day))
            execute("COMMIT")
        except BaseException:
            # If the disk is full, SQLite has rolled back by itself.
            if self.connection.connection.in_transaction:
                execute("ROLLBACK")
            with self.connection.wrap_database_errors:
                raise
        return found

    def _run(self, text: str, parameters: Parameters) -> Any:
        return self.connection.connection.execute(_own_spelling(text), parameters).fetchone()


@lru_cache(maxsize=32)
def _own_spelling(text: str) -> str:
    """Return ``text`` as SQLite writes its parameters."""
    return text.replace("%s", "?")


class PostgreSQLDriverLinkQueries(DriverLinkQueries, PostgreSQLLinkQueries):
    """Statements of PostgreSQL, sent to the driver."""

    def _run(self, text: str, parameters: Parameters) -> Any:
        # In binary if the driver can: Django reads times from text in Python.
        features: Any = self.connection.features
        if not features.uses_server_side_binding:
            return super()._run(text, parameters)
        cursor = self.connection.connection.cursor(binary=True)
        return cursor.execute(text, parameters).fetchone()


_CLASSES: dict[str, type[RawLinkQueries]] = {
    "sqlite": SQLiteDriverLinkQueries,
    "postgresql": PostgreSQLDriverLinkQueries,
    "mysql": DriverLinkQueries,
}


def get_driver_link_queries() -> LinkQueries:
    """Return what asks for links by the driver, if its database has statements of ours."""
    return get_link_queries(_CLASSES)
