"""Finding, judging and counting one link in one statement: what every visit asks.

The ORM compiles its SQL anew for each query, which costs many times what the database needs for
the answer, and it has no UPDATE that returns what it changed. So these few statements are written
out, once for each connection. ``plain_links.py`` says the same through the ORM; the tests compare
them.
"""

import json
from abc import ABC, abstractmethod
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.sql.link_texts import LinkTexts
from directlinks.sql.rows import Admission, LinkRow

# What json.loads() does behind two more functions. A visit pays for each step of Python, and after
# a system call, when caches are cold, several times.
_read_json = json.JSONDecoder().raw_decode


Parameters = tuple[Any, ...] | dict[str, Any]


class Links(ABC):
    """What a visit asks of the tables. ``day`` is the day of ``now`` in the site's time zone."""

    #: Whether ``open`` can find and count in one statement.
    can_open: ClassVar[bool] = False

    @abstractmethod
    def find(self, code: str, now: datetime) -> LinkRow | None:
        """The link with this code, or with this former code: revoked, unless that opens it."""

    @abstractmethod
    def find_by_key(self, link: int) -> LinkRow | None:
        """The link with this primary key."""

    def open(self, code: str, name: str, now: datetime, day: date) -> Admission | None:
        """Return the link of this code and name, counted once more, if it opens for all visitors.

        None says nothing of why, nor that it does not open: not without ``can_open``, nor where
        more is to be asked of a visitor. After None, call ``find``.
        """
        return None

    @abstractmethod
    def count(self, link: int, now: datetime, day: date) -> bool:
        """Count one download of ``link``, and say whether it still opens: that decides."""

    @abstractmethod
    def give_back(self, link: int, day: date) -> None:
        """Take back one download of ``link`` that was counted on ``day`` and not granted.

        The visit did happen, so it stays the time when the link was last opened.
        """


class WrittenLinks(Links):
    """The statements in ``texts``, in a transaction where counting takes two of them."""

    def __init__(self, connection: BaseDatabaseWrapper, texts: LinkTexts) -> None:
        self.connection = connection
        self.texts = texts

    def find(self, code: str, now: datetime) -> LinkRow | None:
        return self._row(self._fetched(self.texts.find, (code, self._written(now), code)))

    def find_by_key(self, link: int) -> LinkRow | None:
        return self._row(self._fetched(self.texts.find_by_key, (link,)))

    def count(self, link: int, now: datetime, day: date) -> bool:
        moment = self._written(now)
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(self.texts.count, (moment, link, moment, moment))
            is_counted: bool = cursor.rowcount == 1
            if is_counted:
                cursor.execute(self.texts.count_day, (link, self._day(day)))
        return is_counted

    def give_back(self, link: int, day: date) -> None:
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(self.texts.give_back, (link,))
            cursor.execute(self.texts.give_back_day, (link, self._day(day)))

    def _fetched(self, text: str, parameters: Parameters) -> Any:
        """The first row, or None."""
        if self._may_ask_directly():
            try:
                return self._asked_directly(text, parameters)
            except Exception:
                with self.connection.wrap_database_errors:  # it makes them Django's
                    raise
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return cursor.fetchone()

    def _may_ask_directly(self) -> bool:
        """Whether the driver may be spoken to without Django, whose cursor costs as much as the
        driver's: no wrapper watches the statements, and they belong to no transaction.

        A backend that is not Django's own may do more when it makes a cursor.
        """
        connection: Any = self.connection
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

    def _asked_directly(self, text: str, parameters: Parameters) -> Any:
        """The first row, or None, without Django's care."""
        cursor = self.connection.connection.cursor()
        cursor.execute(text, parameters)
        return cursor.fetchone()

    def _written(self, moment: datetime) -> Any:
        return self.connection.ops.adapt_datetimefield_value(moment)

    def _day(self, day: date) -> Any:
        return self.connection.ops.adapt_datefield_value(day)

    def _row(self, found: Any) -> LinkRow | None:
        if found is None:
            return None
        (
            link, code, current_code, name, revoked, paused, not_before, expires_at, downloads,
            max_downloads, password, referers, ask_first, trashed, active, content, alias,
            content_type, version, modified_at, size,
        ) = found  # fmt: skip
        moment = self._moment
        return LinkRow(
            link, code, current_code, name, bool(revoked), bool(paused), moment(not_before),
            moment(expires_at), downloads, max_downloads, password, referers, bool(ask_first),
            bool(trashed), bool(active), content, alias, content_type, version, moment(modified_at),
            size,
        )  # fmt: skip

    def _moment(self, value: Any) -> Any:
        """``value`` as Django reads it: SQLite has text, MySQL no time zones, PostgreSQL always."""
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        zone = self.connection.timezone
        if value.tzinfo is None or zone is None:
            value = value.replace(tzinfo=zone)
        return value


class SQLiteLinks(WrittenLinks):
    can_open = True

    def open(self, code: str, name: str, now: datetime, day: date) -> Admission | None:
        moment = self._written(now)
        visit = (moment, code, name, moment, moment)
        open_ = self._open_directly if self._may_ask_directly() else self._open
        found = open_(visit, self._day(day))
        if found is None:
            return None
        link, expires_at, max_downloads, file = found
        (content, alias, content_type, version, modified_at, size), _ = _read_json(file)
        return Admission(
            link, code, name, self._moment(expires_at), max_downloads,
            content, alias, content_type, version, self._moment(modified_at), size,
        )  # fmt: skip

    def _written(self, moment: datetime) -> Any:
        if moment.tzinfo is self.connection.timezone:  # what follows would find out the same
            return moment.replace(tzinfo=None).isoformat(" ")
        return super()._written(moment)

    def _open(self, visit: tuple[Any, ...], day: Any) -> Any:
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(self.texts.open, visit)
            found = cursor.fetchone()
            if found is not None:
                cursor.execute(self.texts.count_day, (found[0], day))
        return found

    def _open_directly(self, visit: tuple[Any, ...], day: Any) -> Any:
        execute = self.connection.connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            found = execute(_own_spelling(self.texts.open), visit).fetchone()
            if found is not None:
                execute(_own_spelling(self.texts.count_day), (found[0], day))
            execute("COMMIT")
        except BaseException:
            # Where the disk is full, SQLite has rolled back by itself.
            if self.connection.connection.in_transaction:
                execute("ROLLBACK")
            with self.connection.wrap_database_errors:
                raise
        return found

    def _asked_directly(self, text: str, parameters: Parameters) -> Any:
        return self.connection.connection.execute(_own_spelling(text), parameters).fetchone()


class PostgreSQLLinks(WrittenLinks):
    """Here the day is counted in the same statement, so one round trip does it all."""

    can_open = True

    def open(self, code: str, name: str, now: datetime, day: date) -> Admission | None:
        visit = {"now": now, "code": code, "name": name, "day": day}
        found = self._fetched(self.texts.open, visit)
        if found is None:
            return None
        (
            link, expires_at, max_downloads,
            content, alias, content_type, version, modified_at, size,
        ) = found  # fmt: skip
        return Admission(
            link, code, name, self._moment(expires_at), max_downloads,
            content, alias, content_type, version, self._moment(modified_at), size,
        )  # fmt: skip

    def _asked_directly(self, text: str, parameters: Parameters) -> Any:
        # In binary where the driver can: Django reads moments from text in Python.
        features: Any = self.connection.features
        if not features.uses_server_side_binding:
            return super()._asked_directly(text, parameters)
        cursor = self.connection.connection.cursor(binary=True)
        return cursor.execute(text, parameters).fetchone()


@lru_cache(maxsize=32)
def _own_spelling(text: str) -> str:
    """``text`` as SQLite writes its parameters."""
    return text.replace("%s", "?")
