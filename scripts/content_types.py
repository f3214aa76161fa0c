"""Write directlinks/core/mime.types from the database of the npm package mime-db.

mime-db joins the registries of IANA, Apache and nginx. Install it, then name its file::

    npm install mime-db
    python scripts/content_types.py node_modules/mime-db/db.json
"""

import argparse
import json
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parent.parent / "directlinks" / "core" / "mime.types"

# An extension that several types claim gets the type of the first of these sources, ...
_SOURCES = ("iana", "apache", "nginx", None)
# ... then of the first of these kinds: "mp4" is a video first, and an application last.
_KINDS = ("image", "video", "audio", "text", "font", "model", "application")


def chosen_types(database: dict[str, Any]) -> dict[str, str]:
    """Return one content type for each extension in ``database``."""
    chosen: dict[str, str] = {}
    for content_type in sorted(database, key=lambda name: _preference(name, database[name])):
        for extension in database[content_type].get("extensions", ()):
            chosen.setdefault(extension, content_type)
    return chosen


def _preference(content_type: str, entry: dict[str, Any]) -> tuple[int, int, bool, str]:
    kind, _, subtype = content_type.partition("/")
    return (
        _SOURCES.index(entry.get("source")),
        _KINDS.index(kind) if kind in _KINDS else len(_KINDS),
        subtype.startswith(("vnd.", "x-", "prs.")),
        content_type,
    )


def as_table(chosen: dict[str, str]) -> str:
    """Return ``chosen`` as lines of a type and its extensions, sorted."""
    extensions: dict[str, list[str]] = {}
    for extension, content_type in sorted(chosen.items()):
        extensions.setdefault(content_type, []).append(extension)
    lines = [f"{name} {' '.join(ends)}\n" for name, ends in sorted(extensions.items())]
    header = (
        "# Written by scripts/content_types.py from mime-db: one type and its extensions a line.\n"
    )
    return header + "".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database", type=Path, help="db.json of mime-db")
    TABLE.write_text(as_table(chosen_types(json.loads(parser.parse_args().database.read_text()))))
