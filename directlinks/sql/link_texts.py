"""The text of the statements that a visit needs, for one connection."""

from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.users import active_column


@dataclass(frozen=True, slots=True)
class LinkTexts:
    """Statements with their parameters as ``%s``, in the order in which they stand; but those of
    ``open`` on PostgreSQL have names."""

    find: str
    find_by_key: str
    open: str
    count: str
    count_day: str
    give_back: str
    give_back_day: str


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
    def of(cls, connection: BaseDatabaseWrapper, model: Any) -> "Tables":
        """Those that ``model``, the class DirectLink, is related to."""
        quote = connection.ops.quote_name
        meta = model._meta
        file = meta.get_field("file").related_model._meta
        user = file.get_field("owner").related_model
        active = active_column(user)
        return cls(
            link=quote(meta.db_table),
            file=quote(file.db_table),
            user=quote(user._meta.db_table),
            user_key=quote(file.get_field("owner").target_field.column),
            active=_is_true(None if active is None else f"owner.{quote(active)}", connection),
            day=quote(meta.get_field("days").related_model._meta.db_table),
            former=quote(meta.get_field("former_codes").related_model._meta.db_table),
        )


def _is_true(column: str | None, connection: BaseDatabaseWrapper) -> str:
    if column is None:
        return "1 = 1"
    # Elsewhere a boolean is a number, and any but 0 would be true.
    return column if connection.vendor == "postgresql" else f"{column} = 1"


def link_texts(connection: BaseDatabaseWrapper, model: Any) -> LinkTexts:
    """All statements, as the database behind ``connection`` spells them."""
    tables = Tables.of(connection, model)
    return LinkTexts(
        find=_find(tables),
        find_by_key=_find_by_key(tables),
        open=_open_postgresql(tables) if connection.vendor == "postgresql" else _open(tables),
        count=_count(tables),
        count_day=_count_day(tables, connection),
        give_back=_give_back(tables),
        give_back_day=_give_back_day(tables),
    )


_FILE = ("content", "storage_alias", "content_type", "version", "content_updated_at", "size")

# What LinkRow.state refuses, as a condition on a row of the links. Two parameters: now, twice.
_OPENS = """
    link.revoked_at IS NULL AND NOT link.paused
    AND (link.not_before IS NULL OR link.not_before <= %s)
    AND (link.expires_at IS NULL OR link.expires_at > %s)
    AND (link.max_downloads IS NULL OR link.downloads < link.max_downloads)"""

_REVOKED = "link.revoked_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class _Source:
    """From which tables a link is read, and what stands for some of its columns."""

    tables: str
    code: str = "link.code"
    revoked: str = _REVOKED
    expires_at: str = "link.expires_at"


_FOR_EVERYBODY = "link.password = '' AND link.referers = '' AND NOT link.ask_first"

_COUNTED = "downloads = {of}downloads + 1, last_opened_at = %s"


def _find(t: Tables) -> str:
    # Both halves begin at a unique index over a code, and go on by primary keys: at most one of
    # them finds a row. The former code is what a visitor has, so it stands in the code's place, and
    # its end in that of the link where it comes sooner; one whose time is over is as good as
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


def _find_by_key(t: Tables) -> str:
    return f"""{_select(t, _Source(tables=f"{t.link} link"))} WHERE link.id = %s"""


def _select(t: Tables, source: _Source) -> str:
    file = ", ".join(f"file.{column}" for column in _FILE)
    return f"""
        SELECT link.id, {source.code}, link.code, link.name, {source.revoked}, link.paused,
            link.not_before, {source.expires_at}, link.downloads, link.max_downloads, link.password,
            link.referers, link.ask_first, file.deleted_at IS NOT NULL, {t.active}, {file}
        FROM {source.tables}
        INNER JOIN {t.file} file ON file.id = link.file_id
        INNER JOIN {t.user} owner ON owner.{t.user_key} = file.owner_id"""  # noqa: S608  # our names


def _open(t: Tables) -> str:
    # The unique index over the code finds the one row, whose primary keys lead to file and owner.
    # RETURNING cannot name other tables (SQLite), and each look-up in them costs as much as finding
    # the link, hence one for the whole file, as a JSON array.
    file = ", ".join(f"file.{column}" for column in _FILE)
    return f"""
        UPDATE {t.link} AS link SET {_COUNTED.format(of="")}
        WHERE link.code = %s AND link.name = %s AND {_FOR_EVERYBODY} AND {_OPENS}
          AND {_file_is_there(t)}
        RETURNING id, expires_at, max_downloads,
            (SELECT json_array({file}) FROM {t.file} file WHERE file.id = file_id)"""  # noqa: S608


def _open_postgresql(t: Tables) -> str:
    # As above, but file and owner are joined, and the day is counted in the same breath. A visitor
    # who waited for the row of another one judges it again as that one left it (READ COMMITTED).
    # Parameters have names, so that the driver spells and sends the moment once.
    file = ", ".join(f"file.{column}" for column in _FILE)
    return f"""
        WITH opened AS (
            UPDATE {t.link} AS link SET {_named(_COUNTED.format(of="link."))}
            FROM {t.file} file INNER JOIN {t.user} owner ON owner.{t.user_key} = file.owner_id
            WHERE link.code = %(code)s AND link.name = %(name)s AND {_FOR_EVERYBODY}
              AND {_named(_OPENS)}
              AND file.id = link.file_id AND file.deleted_at IS NULL AND {t.active}
            RETURNING link.id, link.expires_at, link.max_downloads, {file}
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
            INNER JOIN {t.user} owner ON owner.{t.user_key} = file.owner_id
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


def _give_back(t: Tables) -> str:
    return f"UPDATE {t.link} SET downloads = downloads - 1 WHERE id = %s AND downloads > 0"  # noqa: S608


def _give_back_day(t: Tables) -> str:
    return f"""
        UPDATE {t.day} SET downloads = downloads - 1
        WHERE link_id = %s AND day = %s AND downloads > 0"""  # noqa: S608
