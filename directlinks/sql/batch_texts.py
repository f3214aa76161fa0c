"""The text of the statements that a batch needs, as each database spells them.

A batch goes in as one value, a document or an array, so that a statement has the same few
parameters for any number of files. The plans that the comments speak of were seen by EXPLAIN,
with many files of many owners; the order of joins is given where a database could choose another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import IntegerField

FILE_FIELDS = ("id", "owner", "path", "content", "storage_alias", "size", "content_type")
LINK_FIELDS = ("id", "code", "name")
RARE_FIELDS = ("version", "created_at", "updated_at", "content_updated_at")

# What differs from link to link in a batch; all else is the same in each new one.
OWN_FIELDS = ("file", "code", "name", "reuse_name")


@dataclass(frozen=True, slots=True)
class BatchTexts:
    """Statements with their parameters as ``%s``.

    ``find`` takes the places and returns FILE_FIELDS and LINK_FIELDS, these NULL where there is no
    link; ``find_whole`` returns RARE_FIELDS of the files as well. ``make`` takes the values that
    all new links share, then the links, and returns file, key and code of those that were made,
    where the database can. ``make_unused`` makes none with a code that a link had formerly.
    """

    find: str
    find_whole: str
    make: str
    make_unused: str


@dataclass(frozen=True, slots=True)
class Names:
    """Quoted names of tables and lists of columns, and the type of an owner's key."""

    file: str
    link: str
    former: str
    found: str
    found_whole: str
    new: str
    shared: Sequence[Any]
    owner: Any

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper, model: Any) -> "Names":
        """Those of ``model``, the class DirectLink."""
        quote = connection.ops.quote_name
        meta = model._meta
        file = meta.get_field("file").related_model._meta
        shared = shared_fields(model)
        files = [f"file.{quote(file.get_field(name).column)}" for name in FILE_FIELDS]
        rare = [f"file.{quote(file.get_field(name).column)}" for name in RARE_FIELDS]
        links = [f"link.{quote(meta.get_field(name).column)}" for name in LINK_FIELDS]
        new = [meta.get_field(name).column for name in OWN_FIELDS]
        new += [field.column for field in shared]
        return cls(
            file=quote(file.db_table),
            link=quote(meta.db_table),
            former=quote(meta.get_field("former_codes").related_model._meta.db_table),
            found=", ".join(files + links),
            found_whole=", ".join(files + links + rare),
            new=", ".join(map(quote, new)),
            shared=shared,
            owner=file.get_field("owner"),
        )


def shared_fields(model: Any) -> list[Any]:
    """The fields of ``model``, the class DirectLink, that have one value in a batch of new ones."""
    fields = model._meta.concrete_fields
    return [f for f in fields if not f.primary_key and f.name not in OWN_FIELDS]


def batch_texts(connection: BaseDatabaseWrapper, model: Any) -> BatchTexts:
    """All statements, as the database behind ``connection`` spells them."""
    names = Names.of(connection, model)
    find, make = {
        "sqlite": (_find_sqlite, _make_sqlite),
        "postgresql": (_find_postgresql, _make_postgresql),
        "mysql": (_find_mysql, _make_mysql),
    }[connection.vendor]
    # Values of a document have the server's collation, in which "A" may be "a". A join, because
    # MariaDB would keep the answer of a subquery for "a" and give it for "A", in each collation.
    exact = ""
    if connection.vendor == "mysql":
        code = model._meta.get_field("code").db_parameters(connection)
        exact = f" COLLATE {code['collation']}"
    unused = f"""LEFT JOIN {names.former} former ON former.code = asked.code{exact}
        WHERE former.id IS NULL"""
    return BatchTexts(
        find=find(names, connection, names.found),
        find_whole=find(names, connection, names.found_whole),
        make=make(names, connection, "WHERE 1 = 1"),
        make_unused=make(names, connection, unused),
    )


# Every link that may be given again has a reuse_name, and a file has rarely more than one.
_REUSABLE = "link.file_id = file.id AND link.reuse_name IS NOT NULL"


def _find_sqlite(n: Names, connection: BaseDatabaseWrapper, columns: str) -> str:
    # {"owner": ["path key", …], …} is read once. CROSS JOIN keeps its order: each place is looked
    # up in the unique index (owner, path_key), each file in that of its links (file, reuse_name).
    return f"""
        SELECT {columns} FROM json_each(%s) space CROSS JOIN json_each(space.value) asked
        CROSS JOIN {n.file} file ON file.owner_id = space.key AND file.path_key = asked.value
        LEFT JOIN {n.link} link ON {_REUSABLE}"""  # noqa: S608


def _make_sqlite(n: Names, connection: BaseDatabaseWrapper, codes: str) -> str:
    # [[file, code, name], …] is read once, in the order of the files. Each is looked up by primary
    # key; the unique indexes over (file, reuse_name) and over the code decide which rows are new.
    # One statement needs no transaction around it, so it reads nothing before it may write.
    values = ", ".join(["%s"] * len(n.shared))
    return f"""
        INSERT INTO {n.link} ({n.new})
        SELECT file.id, asked.code, asked.name, asked.name, {values}
        FROM (SELECT json_extract(value, '$[0]') AS file, json_extract(value, '$[1]') AS code,
                json_extract(value, '$[2]') AS name FROM json_each(%s)) asked
        CROSS JOIN {n.file} file ON file.id = asked.file
        {codes} AND file.deleted_at IS NULL
        ON CONFLICT DO NOTHING RETURNING file_id, id, code"""  # noqa: S608


def _find_postgresql(n: Names, connection: BaseDatabaseWrapper, columns: str) -> str:
    # Owners side by side with their path keys, joined: psycopg takes ten times as long over an
    # array of them. LIMIT, where a unique index allows for no more than one, keeps the planner to
    # it: it would read and hash all files, of whomever, sooner than look up a thousand. So each
    # place is looked up in the index (owner, path_key), and each file in one of its links.
    return f"""
        SELECT {columns}
        FROM unnest(%s::{n.owner.db_type(connection)}[], %s::text[]) AS space (owner, path_keys)
        CROSS JOIN LATERAL unnest(string_to_array(space.path_keys, ' ')) AS asked (path_key)
        CROSS JOIN LATERAL (
            SELECT * FROM {n.file} file
            WHERE file.owner_id = space.owner AND file.path_key = asked.path_key LIMIT 1) file
        LEFT JOIN {n.link} link ON {_REUSABLE}"""  # noqa: S608


def _make_postgresql(n: Names, connection: BaseDatabaseWrapper, codes: str) -> str:
    # Keys, codes and names are joined by slashes, which none of them has. LIMIT as above: each file
    # is looked up by primary key, in the order of the array, and by nothing else: of a table that
    # was never analysed the planner would rather read the index of what is in the trash. The unique
    # indexes decide which rows are new. The lock keeps a file from being deleted before its link is
    # there, which the foreign key would refuse for the whole batch; it does not keep others from
    # changing the file.
    values = ", ".join(f"%s::{field.db_type(connection)}" for field in n.shared)
    return f"""
        INSERT INTO {n.link} ({n.new})
        SELECT file.id, asked.code, asked.name, asked.name, {values}
        FROM unnest(string_to_array(%s, '/')::bigint[], string_to_array(%s, '/'),
            string_to_array(%s, '/')) AS asked (file, code, name)
        CROSS JOIN LATERAL (
            SELECT id, deleted_at FROM {n.file} WHERE id = asked.file
            LIMIT 1 FOR KEY SHARE) file
        {codes} AND file.deleted_at IS NULL
        ON CONFLICT DO NOTHING RETURNING file_id, id, code"""  # noqa: S608


def _find_mysql(n: Names, connection: BaseDatabaseWrapper, columns: str) -> str:
    # [[owner, ["path key", …]], …] becomes a table in memory. STRAIGHT_JOIN keeps its order: each
    # place is looked up in the unique index (owner, path_key). From lists of a thousand keys the
    # optimizer would rather read all files of the owner.
    key = "BIGINT" if isinstance(n.owner.target_field, IntegerField) else "VARCHAR(255)"
    return f"""
        SELECT {columns}
        FROM JSON_TABLE(%s, '$[*]' COLUMNS (owner_key {key} PATH '$[0]',
            NESTED PATH '$[1][*]' COLUMNS (path_key CHAR(64) PATH '$'))) asked
        STRAIGHT_JOIN {n.file} file
            ON file.owner_id = asked.owner_key AND file.path_key = asked.path_key
        LEFT JOIN {n.link} link ON {_REUSABLE}"""  # noqa: S608


def _make_mysql(n: Names, connection: BaseDatabaseWrapper, codes: str) -> str:
    # [[file, code, name], …] becomes a table in memory, in the order of the files. Each is looked
    # up by primary key and locked before its link is written: a second transaction waits there, in
    # the same order. Without that lock, two who meet a third one's new row would share the lock of
    # its gap, and neither could go on. IGNORE leaves out what the unique indexes refuse, and would
    # store "?" for what the character set of the database cannot hold, were it not told another.
    values = ", ".join(["%s"] * len(n.shared))
    returning = (
        "RETURNING file_id, id, code"
        if connection.features.can_return_rows_from_bulk_insert
        else ""
    )
    return f"""
        INSERT IGNORE INTO {n.link} ({n.new})
        SELECT file.id, asked.code, asked.name, asked.name, {values}
        FROM JSON_TABLE(%s, '$[*]' COLUMNS (file BIGINT PATH '$[0]',
            code VARCHAR(64) CHARACTER SET utf8mb4 PATH '$[1]',
            name VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[2]')) asked
        STRAIGHT_JOIN {n.file} file ON file.id = asked.file
        {codes} AND file.deleted_at IS NULL
        FOR UPDATE {returning}"""  # noqa: S608
