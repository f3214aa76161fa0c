"""Finding, judging and counting one link in one statement: what every visit asks.

The ORM compiles its SQL anew for each query, which costs many times what the database needs for
the answer, and it has no UPDATE that returns what it changed. So these few statements are written
out, once for each connection. ``orm.py`` says the same through the ORM; the tests compare
them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, NamedTuple, get_args, get_type_hints

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.core.links import (
    CLOSINGS,
    GUARDS,
    LIMITS,
    REACHED,
    Closing,
    Comparison,
    LinkState,
    is_guarded,
    state_of,
)
from directlinks.models import DailyDownloads, DirectLink, File, FormerCode
from directlinks.users import active_column


class LinkRow(NamedTuple):
    """One link, judged and described without another query.

    ``code`` is the one by which it was found, which may be a former one, unlike ``current_code``.
    ``password`` is a hash. ``content`` is the name in the storage with
    ``storage_alias``, ``size`` in bytes.
    """

    link_id: int
    code: str
    current_code: str
    name: str
    revoked: bool
    paused: bool
    not_before: datetime | None
    expires_at: datetime | None
    downloads: int
    max_downloads: int | None
    password: str
    referers: str
    ask_first: bool
    trashed: bool
    owner_active: bool
    content: str
    storage_alias: str
    content_type: str
    version: str
    modified_at: datetime
    size: int

    @property
    def is_guarded(self) -> bool:
        """Return True if a visitor needs more than the address."""
        return is_guarded(self)

    @property
    def is_unlimited(self) -> bool:
        """True if nothing about the link changes with time, visitors or visits."""
        return all(getattr(self, limit.name) == limit.empty for limit in LIMITS)

    def state(self, now: datetime) -> LinkState:
        return state_of(
            self,
            now=now,
            revoked=self.revoked,
            trashed=self.trashed,
            owner_active=self.owner_active,
        )


class ClaimedLink(NamedTuple):
    """What is left to know of a link that was found, judged and counted in one statement.

    Between ``name`` and ``content`` are the limits that can be reached, ``expires_at`` first.
    """

    link_id: int
    code: str
    name: str
    expires_at: datetime | None
    max_downloads: int | None
    content: str
    storage_alias: str
    content_type: str
    version: str
    modified_at: datetime
    size: int

    @property
    def current_code(self) -> str:
        """The code: links with a former code are not claimed by one statement."""
        return self.code

    @property
    def password(self) -> str:
        """No hash: links with a password are not claimed by one statement."""
        return ""

    @property
    def is_guarded(self) -> bool:
        """False: others are not claimed by one statement."""
        return False

    @property
    def is_unlimited(self) -> bool:
        """True if nothing about the link changes with time or visits any more."""
        return all(getattr(self, limit.name) is None for limit in REACHED)


@dataclass(frozen=True, slots=True)
class LinkStatements:
    """Statements with their parameters as ``%s``, in the order in which they stand.

    Parameters of ``claim`` on PostgreSQL have names.
    """

    fetch: str
    fetch_by_key: str
    claim: str
    count: str
    count_day: str
    release: str
    release_day: str


@dataclass(frozen=True, slots=True)
class Tables:
    """The quoted names of tables and of a few columns that sites may choose."""

    link: str
    file: str
    user: str
    user_key: str
    active: str
    day: str
    former: str

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> "Tables":
        """Return the names behind ``connection``."""
        quote = connection.ops.quote_name
        user: Any = get_user_model()
        active = active_column(user)
        return cls(
            link=quote(DirectLink._meta.db_table),
            file=quote(File._meta.db_table),
            user=quote(user._meta.db_table),
            user_key=quote(user._meta.pk.column),
            active="1 = 1" if active is None else _is_active(quote(active), connection),
            day=quote(DailyDownloads._meta.db_table),
            former=quote(FormerCode._meta.db_table),
        )


def _is_active(column: str, connection: BaseDatabaseWrapper) -> str:
    """Return the condition that the owner of a file is active, or that it has none."""
    # Elsewhere a boolean is a number, and any but 0 would be true.
    is_true = "" if connection.vendor == "postgresql" else " = 1"
    return f"(file.owner_id IS NULL OR owner.{column}{is_true})"


def link_statements(connection: BaseDatabaseWrapper) -> LinkStatements:
    """Return all statements, as the database behind ``connection`` spells them."""
    tables = Tables.of(connection)
    return LinkStatements(
        fetch=_fetch(tables),
        fetch_by_key=_fetch_by_key(tables),
        claim=_claim_postgresql(tables) if connection.vendor == "postgresql" else _claim(tables),
        count=_count(tables),
        count_day=_count_day(tables, connection),
        release=_release(tables),
        release_day=_release_day(tables),
    )


_FILE = ("content", "storage_alias", "content_type", "version", "content_updated_at", "size")

_SQL: Mapping[Comparison, str] = {"gt": "<=", "lte": ">"}


def _keeps_open(name: str, closing: Closing) -> str:
    """Return the condition on a row of the links that their limit ``name`` does not close it."""
    if closing.compares is None:
        return f"NOT link.{name}"
    other = "%s" if closing.other is None else f"link.{closing.other}"
    return f"(link.{name} IS NULL OR link.{name} {_SQL[closing.compares]} {other})"


# What LinkRow.state refuses, as a condition on a row of the links. Each parameter is now.
_OPENS = " AND ".join(
    ["link.revoked_at IS NULL", *(_keeps_open(name, closing) for name, closing in CLOSINGS)]
)
_MOMENTS = _OPENS.count("%s")

_REVOKED = "link.revoked_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class _Source:
    """From which tables a link is read, and what stands for some of its columns."""

    tables: str
    code: str = "link.code"
    revoked: str = _REVOKED
    expires_at: str = "link.expires_at"


_FOR_EVERYBODY = " AND ".join(
    f"link.{limit.name} = ''" if limit.empty == "" else f"NOT link.{limit.name}" for limit in GUARDS
)

# What may be reached later, in the order of ClaimedLink.
_REACHED = tuple(limit.name for limit in REACHED)

_COUNTED = "downloads = {of}downloads + 1, last_opened_at = %s"


_TYPES = list(get_type_hints(LinkRow).values())
# The places in a row of what some databases have as numbers and as text.
_BOOLEANS = [place for place, kind in enumerate(_TYPES) if kind is bool]
_DATETIMES = [place for place, kind in enumerate(_TYPES) if datetime in (kind, *get_args(kind))]


def _fetch(t: Tables) -> str:
    # Both halves begin at a unique index over a code, and go on by primary keys: at most one of
    # them finds a row. The former code is what a visitor has, so it stands in the code's place, and
    # its end in that of the link if it comes sooner; one whose time is over is as good as
    # revoked. Three parameters: code, now, code.
    formerly = _Source(
        tables=f"{t.former} former INNER JOIN {t.link} link ON link.id = former.link_id",
        code="former.code",
        revoked=f"({_REVOKED} OR former.until IS NULL OR former.until <= %s)",
        expires_at="""CASE WHEN link.expires_at IS NULL OR former.until < link.expires_at
            THEN former.until ELSE link.expires_at END""",
    )
    return f"""
        {_select(t, _Source(tables=f"{t.link} link"))} WHERE link.code = %s
        UNION ALL
        {_select(t, formerly)} WHERE former.code = %s"""


def _fetch_by_key(t: Tables) -> str:
    return f"""{_select(t, _Source(tables=f"{t.link} link"))} WHERE link.id = %s"""


def _select(t: Tables, source: _Source) -> str:
    file = zip(LinkRow._fields[-len(_FILE) :], _FILE, strict=True)
    others = {
        "link_id": "link.id",
        "code": source.code,
        "current_code": "link.code",
        "revoked": source.revoked,
        "expires_at": source.expires_at,
        "trashed": "file.deleted_at IS NOT NULL",
        "owner_active": t.active,
        **{name: f"file.{column}" for name, column in file},
    }
    columns = ", ".join(others.get(name, f"link.{name}") for name in LinkRow._fields)
    return f"""
        SELECT {columns}
        FROM {source.tables}
        INNER JOIN {t.file} file ON file.id = link.file_id
        LEFT JOIN {t.user} owner ON owner.{t.user_key} = file.owner_id"""  # noqa: S608  # our names


def _claim(t: Tables) -> str:
    # The unique index over the code finds the one row, whose primary keys lead to file and owner.
    # RETURNING cannot name other tables (SQLite), and each look-up in them costs as much as finding
    # the link, so there is one for the whole file, as a JSON array.
    file = ", ".join(f"file.{column}" for column in _FILE)
    return f"""
        UPDATE {t.link} AS link SET {_COUNTED.format(of="")}
        WHERE link.code = %s AND link.name = %s AND {_FOR_EVERYBODY} AND {_OPENS}
          AND {_file_is_there(t)}
        RETURNING id, {", ".join(_REACHED)},
            (SELECT json_array({file}) FROM {t.file} file WHERE file.id = file_id)"""  # noqa: S608


def _claim_postgresql(t: Tables) -> str:
    # As above, but file and owner are joined, and the day is counted in the same breath. A visitor
    # who waited for the row of another one judges it again as that one left it (READ COMMITTED).
    # Parameters have names, so that the driver spells and sends the moment once.
    file = ", ".join(f"file.{column}" for column in _FILE)
    reached = ", ".join(f"link.{name}" for name in _REACHED)
    return f"""
        WITH opened AS (
            UPDATE {t.link} AS link SET {_named(_COUNTED.format(of="link."))}
            FROM {t.file} file LEFT JOIN {t.user} owner ON owner.{t.user_key} = file.owner_id
            WHERE link.code = %(code)s AND link.name = %(name)s AND {_FOR_EVERYBODY}
              AND {_named(_OPENS)}
              AND file.id = link.file_id AND file.deleted_at IS NULL AND {t.active}
            RETURNING link.id, {reached}, {file}
        ), counted AS (
            INSERT INTO {t.day} AS day (link_id, day, downloads)
            SELECT opened.id, %(day)s, 1 FROM opened
            ON CONFLICT (link_id, day) DO UPDATE SET downloads = day.downloads + 1
        )
        SELECT * FROM opened"""  # noqa: S608


def _named(condition: str) -> str:
    return condition.replace("%s", "%(now)s")


def _count(t: Tables) -> str:
    # By primary key; the conditions of _OPENS are judged on the row as it is when it is written.
    return f"""
        UPDATE {t.link} AS link SET {_COUNTED.format(of="")}
        WHERE link.id = %s AND {_OPENS} AND {_file_is_there(t)}"""  # noqa: S608


def _file_is_there(t: Tables) -> str:
    return f"""EXISTS (
            SELECT 1 FROM {t.file} file
            LEFT JOIN {t.user} owner ON owner.{t.user_key} = file.owner_id
            WHERE file.id = link.file_id AND file.deleted_at IS NULL AND {t.active})"""  # noqa: S608


def _count_day(t: Tables, connection: BaseDatabaseWrapper) -> str:
    # The unique index (link, day) decides between the two.
    if connection.vendor == "mysql":
        return f"""
            INSERT INTO {t.day} (link_id, day, downloads) VALUES (%s, %s, 1)
            ON DUPLICATE KEY UPDATE downloads = downloads + 1"""  # noqa: S608
    return f"""
        INSERT INTO {t.day} AS day (link_id, day, downloads) VALUES (%s, %s, 1)
        ON CONFLICT (link_id, day) DO UPDATE SET downloads = day.downloads + 1"""  # noqa: S608


def _release(t: Tables) -> str:
    return f"UPDATE {t.link} SET downloads = downloads - 1 WHERE id = %s AND downloads > 0"  # noqa: S608


def _release_day(t: Tables) -> str:
    return f"""
        UPDATE {t.day} SET downloads = downloads - 1
        WHERE link_id = %s AND day = %s AND downloads > 0"""  # noqa: S608


# What json.loads() does behind two more functions. A visit pays for each step of Python, and after
# a system call, when caches are cold, several times.
_read_json = json.JSONDecoder().raw_decode


Parameters = tuple[Any, ...] | dict[str, Any]


class LinkQueries(ABC):
    """Queries of a visit. ``day`` is the day of ``now`` in the site's time zone."""

    #: Whether ``claim`` can find and count in one statement.
    can_claim: ClassVar[bool] = False

    @abstractmethod
    def fetch(self, code: str, now: datetime) -> LinkRow | None:
        """Return the link with this code or former code; revoked if the former code is over."""

    @abstractmethod
    def fetch_by_key(self, link_id: int) -> LinkRow | None:
        """Return the link with this primary key."""

    def claim(self, code: str, name: str, now: datetime, day: date) -> ClaimedLink | None:
        """Return the link of this code and name, counted once more, if it opens for all visitors.

        None says nothing of why, nor that it does not open: not without ``can_claim``, nor where
        more is to be asked of a visitor. After None, call ``fetch``.
        """
        return None

    @abstractmethod
    def count(self, link_id: int, now: datetime, day: date) -> bool:
        """Count one download of a link. Return False if it no longer opens."""

    @abstractmethod
    def release(self, link_id: int, day: date) -> None:
        """Take back one download of a link that was counted on ``day`` and not granted.

        The visit did happen, so it stays the time when the link was last opened.
        """


class RawLinkQueries(LinkQueries):
    """The statements in ``texts``, in a transaction if counting takes two of them."""

    def __init__(self, connection: BaseDatabaseWrapper, texts: LinkStatements) -> None:
        self.connection = connection
        self.texts = texts

    def fetch(self, code: str, now: datetime) -> LinkRow | None:
        return self._row(self._fetch_one(self.texts.fetch, (code, self._adapted(now), code)))

    def fetch_by_key(self, link_id: int) -> LinkRow | None:
        return self._row(self._fetch_one(self.texts.fetch_by_key, (link_id,)))

    def count(self, link_id: int, now: datetime, day: date) -> bool:
        moment = self._adapted(now)
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(self.texts.count, (moment, link_id, *[moment] * _MOMENTS))
            is_counted: bool = cursor.rowcount == 1
            if is_counted:
                cursor.execute(self.texts.count_day, (link_id, self._day(day)))
        return is_counted

    def release(self, link_id: int, day: date) -> None:
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(self.texts.release, (link_id,))
            cursor.execute(self.texts.release_day, (link_id, self._day(day)))

    def _fetch_one(self, text: str, parameters: Parameters) -> Any:
        """Return the first row, or None."""
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return cursor.fetchone()

    def _adapted(self, moment: datetime) -> Any:
        return self.connection.ops.adapt_datetimefield_value(moment)

    def _day(self, day: date) -> Any:
        return self.connection.ops.adapt_datefield_value(day)

    def _row(self, found: Any) -> LinkRow | None:
        if found is None:
            return None
        values = list(found)
        for place in _BOOLEANS:
            values[place] = bool(values[place])
        for place in _DATETIMES:
            values[place] = self._datetime(values[place])
        return LinkRow._make(values)

    def _datetime(self, value: Any) -> Any:
        """Return ``value`` as Django reads it.

        SQLite has text, MySQL naive datetimes, PostgreSQL always aware ones.
        """
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        zone = self.connection.timezone
        if value.tzinfo is None or zone is None:
            value = value.replace(tzinfo=zone)
        return value


class SQLiteLinkQueries(RawLinkQueries):
    """Statements of SQLite."""

    can_claim = True

    def claim(self, code: str, name: str, now: datetime, day: date) -> ClaimedLink | None:
        moment = self._adapted(now)
        visit = (moment, code, name, *[moment] * _MOMENTS)
        found = self._claim(visit, self._day(day))
        if found is None:
            return None
        link, expires_at, *limits, file = found
        (content, alias, content_type, version, modified_at, size), _ = _read_json(file)
        return ClaimedLink._make((
            link, code, name, self._datetime(expires_at), *limits,
            content, alias, content_type, version, self._datetime(modified_at), size,
        ))  # fmt: skip

    def _adapted(self, moment: datetime) -> Any:
        if moment.tzinfo is self.connection.timezone:  # what follows would find out the same
            return moment.replace(tzinfo=None).isoformat(" ")
        return super()._adapted(moment)

    def _claim(self, visit: tuple[Any, ...], day: Any) -> Any:
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(self.texts.claim, visit)
            found = cursor.fetchone()
            if found is not None:
                cursor.execute(self.texts.count_day, (found[0], day))
        return found


class PostgreSQLLinkQueries(RawLinkQueries):
    """Here the day is counted in the same statement, so one round trip does it all."""

    can_claim = True

    def claim(self, code: str, name: str, now: datetime, day: date) -> ClaimedLink | None:
        visit = {"now": now, "code": code, "name": name, "day": day}
        found = self._fetch_one(self.texts.claim, visit)
        if found is None:
            return None
        (
            link, expires_at, *limits,
            content, alias, content_type, version, modified_at, size,
        ) = found  # fmt: skip
        return ClaimedLink._make((
            link, code, name, self._datetime(expires_at), *limits,
            content, alias, content_type, version, self._datetime(modified_at), size,
        ))  # fmt: skip
