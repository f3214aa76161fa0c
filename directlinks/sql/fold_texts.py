"""The text of the statements that add collected downloads, as each database spells them.

What was collected goes in as one document, a list of lists, so that a statement has one parameter
for any number of links. The plans that the comments speak of were seen
by EXPLAIN, with many links; the order of joins is given where a database could choose another.
"""

from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class FoldTexts:
    """Statements with their one parameter as ``%s``.

    ``lock`` takes the key of each link and returns those that are there, locked in this order.
    ``add_to_links`` takes a key, a number and a moment for each link, ``add_to_days`` a key, a day
    and a number for each day of one.
    """

    lock: str
    add_to_links: str
    add_to_days: str


def fold_texts(connection: BaseDatabaseWrapper, model: Any) -> FoldTexts:
    """All statements, as the database behind ``connection`` spells them, for the class DirectLink,
    which is ``model``."""
    quote = connection.ops.quote_name
    link = quote(model._meta.db_table)
    day = quote(model._meta.get_field("days").related_model._meta.db_table)
    return {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[connection.vendor](
        link, day
    )


# The later one of both moments, or the new one where there was none.
_ADDED = """downloads = link.downloads + asked.times,
            last_opened_at = CASE WHEN link.last_opened_at > asked.latest
                THEN link.last_opened_at ELSE asked.latest END"""

# The unique index (link, day) decides between the two.
_OR_ADDED = (
    "ON CONFLICT (link_id, day) DO UPDATE SET downloads = day.downloads + excluded.downloads"
)


def _sqlite(link: str, day: str) -> FoldTexts:
    # Each document is read once, and each link in it looked up by primary key, each day in the
    # index (link, day). A transaction that writes is alone in the whole database, so that nothing
    # needs to be locked. Without WHERE, what follows FROM would be read as the condition of a join.
    return FoldTexts(
        lock=f"""
        SELECT link.id FROM json_each(%s) asked
        CROSS JOIN {link} link ON link.id = json_extract(asked.value, '$[0]')""",  # noqa: S608
        add_to_links=f"""
        UPDATE {link} AS link SET {_ADDED}
        FROM (SELECT json_extract(value, '$[0]') AS link, json_extract(value, '$[1]') AS times,
                json_extract(value, '$[2]') AS latest FROM json_each(%s)) asked
        WHERE link.id = asked.link""",  # noqa: S608
        add_to_days=f"""
        INSERT INTO {day} AS day (link_id, day, downloads)
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
        FROM json_each(%s) WHERE 1 = 1 {_OR_ADDED}""",  # noqa: S608
    )


def _postgresql(link: str, day: str) -> FoldTexts:
    # LIMIT, where a primary key allows for no more than one, keeps the planner to look up each link
    # in the order of the document, which is the order in which all writers lock them. Once they are
    # locked the order is no matter: the planner takes any document for a hundred rows, and looks up
    # each link by primary key, too, unless the whole table is about as few.
    asked = "json_array_elements(%s::json) asked (of)"
    return FoldTexts(
        lock=f"""
        SELECT link.id FROM {asked} CROSS JOIN LATERAL (
            SELECT id FROM {link} WHERE id = (of->>0)::bigint LIMIT 1 FOR NO KEY UPDATE) link""",  # noqa: S608
        add_to_links=f"""
        UPDATE {link} AS link SET {_ADDED}
        FROM (SELECT (of->>0)::bigint AS link, (of->>1)::bigint AS times,
                (of->>2)::timestamptz AS latest FROM {asked}) asked
        WHERE link.id = asked.link""",  # noqa: S608
        add_to_days=f"""
        INSERT INTO {day} AS day (link_id, day, downloads)
        SELECT (of->>0)::bigint, (of->>1)::date, (of->>2)::bigint FROM {asked} {_OR_ADDED}""",  # noqa: S608
    )


def _mysql(link: str, day: str) -> FoldTexts:
    # Each document becomes a table in memory, in its own order. STRAIGHT_JOIN begins there: each
    # link is looked up by primary key, and so locked in the order in which all writers lock them.
    return FoldTexts(
        lock=f"""
        SELECT link.id FROM JSON_TABLE(%s, '$[*]' COLUMNS (link BIGINT PATH '$[0]')) asked
        STRAIGHT_JOIN {link} link ON link.id = asked.link FOR UPDATE""",  # noqa: S608
        add_to_links=f"""
        UPDATE JSON_TABLE(%s, '$[*]' COLUMNS (link BIGINT PATH '$[0]', times BIGINT PATH '$[1]',
            latest DATETIME(6) PATH '$[2]')) asked
        STRAIGHT_JOIN {link} link ON link.id = asked.link
        SET {_ADDED}""",  # noqa: S608
        add_to_days=f"""
        INSERT INTO {day} (link_id, day, downloads)
        SELECT asked.link, asked.day, asked.times FROM JSON_TABLE(%s, '$[*]' COLUMNS (
            link BIGINT PATH '$[0]', day DATE PATH '$[1]', times BIGINT PATH '$[2]')) asked
        ON DUPLICATE KEY UPDATE downloads = downloads + asked.times""",  # noqa: S608
    )
