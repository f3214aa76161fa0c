"""Which paths are folders: one statement for all of a batch."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.options import Options

from directlinks.core import paths


def positions_of_folders(
    connection: BaseDatabaseWrapper,
    meta: "Options[Any]",
    asked: Sequence[tuple[object, str]],
) -> set[int]:
    """Which of ``asked``, pairs of an owner's key and a path, are folders with a live file in them.

    One statement for any number: a list of thousands of ORed ranges exceeds the depth of
    expression that SQLite accepts, and the ORM has no word for a table of values. Each row of the
    table is looked up in the index (owner, path_head), which narrows a path as far as an index can
    hold it; the whole path under NFC decides, which is ``path`` itself unless ``path_nfc`` holds
    another. Paths are in binary collation everywhere, so the range of a prefix is contiguous.
    """
    owner: Any = meta.get_field("owner")
    rows: list[Any] = []
    for position, (owner_key, path) in enumerate(asked):
        first, after = paths.bounds(path)
        head = slice(paths.HEAD_CHARACTERS)
        rows += [position, owner.get_db_prep_value(owner_key, connection)]
        rows += [first[head], after[head], first, after]
    table = connection.ops.quote_name(meta.db_table)
    # MySQL spells a row of a table of values in its own way.
    row = "(%s, %s, %s, %s, %s, %s)"
    if connection.vendor == "mysql" and not getattr(connection, "mysql_is_mariadb", False):
        row = "ROW" + row
    statement = f"""
        WITH asked (place, owner_key, head_first, head_after, path_first, path_after)
        AS (VALUES {", ".join([row] * len(asked))})
        SELECT asked.place FROM asked WHERE EXISTS (
            SELECT 1 FROM {table} file
            WHERE file.owner_id = asked.owner_key
              AND file.path_head >= asked.head_first AND file.path_head <= asked.head_after
              AND COALESCE(file.path_nfc, file.path) >= asked.path_first
              AND COALESCE(file.path_nfc, file.path) < asked.path_after
              AND file.deleted_at IS NULL
        )"""  # noqa: S608  # all that is put in is a name of ours and placeholders
    with connection.cursor() as cursor:
        cursor.execute(statement, rows)
        return {place for (place,) in cursor.fetchall()}
