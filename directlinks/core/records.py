"""A link with all that belongs to it, as one line of a file: JSON Lines, or CSV for spreadsheets.

JSON Lines rather than one JSON document, because a line can be written, read and judged by itself:
neither end holds more than a few of them in memory, and a file that ends too early ends in a line
that is seen to be broken. Owner and creator go by name and a file by its path, so that a link finds
its place in a database that gave them other keys.
"""

import csv
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from itertools import chain
from typing import Any, Protocol

from directlinks.core import codes, paths
from directlinks.core.paths import name_unknown
from directlinks.core.validators import is_near

# Full width, too, as Excel reads them in Japanese.
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_CELL_ENDS = ",;\t\r\n"
# What may stand before a formula, or nothing at the beginning; marks that are there already; a
# formula. All but the last is matched without fail, so each character is looked at once.
_PLACES = re.compile(rf"""(\A[\s",;]*+|[\s",;]++)('*+)([{_FORMULA}]?)""")


def escape_cell(text: str) -> str:
    """Return ``text`` as a cell that no spreadsheet computes, nor any part of it."""
    return _PLACES.sub(_escape_match, text)


def unescape_cell(cell: str) -> str:
    """Return the text that was ``escaped``."""
    return _PLACES.sub(_unescape_match, cell)


def csv_writer(out: Any) -> Any:
    """Return a writer of CSV rows whose cells are all quoted."""
    return csv.writer(out, quoting=csv.QUOTE_ALL)


def _escape_match(place: re.Match[str]) -> str:
    before, marks, formula = place.groups()
    return f"{before}'{marks}{formula}" if _begins_cell(place) else place[0]


def _unescape_match(place: re.Match[str]) -> str:
    before, marks, formula = place.groups()
    return f"{before}{marks[1:]}{formula}" if _begins_cell(place) else place[0]


def _begins_cell(place: re.Match[str]) -> bool:
    """Return True if a formula is at ``place``, and a cell could begin there."""
    divided = place.start() == 0 or any(mark in place[1] for mark in _CELL_ENDS)
    return bool(place[3]) and divided


# Half of what a column holds, so that there is room to count on.
_MOST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """What is known of one link. What a hand-written line leaves out has these values."""

    code: str
    owner: str
    path: str
    trashed_at: datetime | None = None
    name: str = ""
    reusable: bool = False
    created_by: str | None = None
    created_at: datetime | None = None
    downloads: int = 0
    last_opened_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    max_downloads: int | None = None
    paused: bool = False
    password: str = ""
    referers: str = ""
    ask_first: bool = False
    revoked_at: datetime | None = None
    label: str = ""
    note: str = ""
    days: Mapping[date, int] = field(default_factory=dict)
    former_codes: Mapping[str, datetime | None] = field(default_factory=dict)


COLUMNS = tuple(one.name for one in fields(LinkRecord))
REQUIRED = ("code", "owner", "path")


def to_json(record: LinkRecord) -> str:
    """Return ``record`` as a line of ASCII without its line end."""
    return json.dumps(_to_plain(record))


def from_json(line: str) -> LinkRecord:
    """Return the record in ``line``. Raise ValueError with a sentence if there is none."""
    plain = _loaded(line)
    if not isinstance(plain, dict):
        raise ValueError("Not a JSON object.")  # noqa: TRY004  # it is the text that is wrong
    return _from_plain(plain)


def to_cells(record: LinkRecord) -> list[str]:
    """Return ``record`` as the cells of COLUMNS: texts escaped, None empty, all else JSON."""
    plain = _to_plain(record)
    return [_to_cell(plain[name]) for name in COLUMNS]


def from_cells(row: Mapping[str, str]) -> LinkRecord:
    """Return the record in ``row``, cells by their columns. Raise ValueError if there is none."""
    return _from_plain(
        {
            name: _loaded(cell) if name in _NO_TEXT else unescape_cell(cell)
            for name, cell in row.items()
            if cell
        }
    )


def _to_cell(value: Any) -> str:
    if value is None:
        return ""
    return escape_cell(value) if isinstance(value, str) else json.dumps(value)


def _to_plain(record: LinkRecord) -> dict[str, Any]:
    return {name: _simple(getattr(record, name)) for name in COLUMNS}


def _simple(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_simple(key): _simple(one) for key, one in value.items()}
    return value


def _loaded(text: str) -> Any:
    try:
        # Spreadsheets save truths in capitals.
        return json.loads(text.lower() if text in {"TRUE", "FALSE"} else text)
    except (ValueError, RecursionError):
        raise ValueError("Not valid JSON.") from None


def _from_plain(plain: Mapping[str, Any]) -> LinkRecord:
    if unknown := plain.keys() - set(COLUMNS):
        raise ValueError(f"Unknown: {name_unknown(unknown, COLUMNS)}.")
    if missing := [name for name in REQUIRED if name not in plain]:
        raise ValueError(f"It has no {' and no '.join(missing)}.")
    values: dict[str, Any] = {}
    for name, value in plain.items():
        try:
            values[name] = _READERS[name](value)
        except (ValueError, TypeError):
            shown = "." if name in _SECRET else f": {value!r:.80}"
            raise ValueError(f"This cannot be its {name}{shown}") from None
    record = LinkRecord(**{"name": paths.name(values["path"]), **values})
    if record.code in record.former_codes:
        raise ValueError("Its code is one of its former codes.")
    return record


def _text(value: Any) -> str:
    """Return a text that every database can store. Raise ValueError for any other value."""
    if not isinstance(value, str) or any(_is_unstorable(character) for character in value):
        raise ValueError
    return value


def _is_unstorable(character: str) -> bool:
    return character == "\0" or unicodedata.category(character) == "Cs"


def _code(value: Any) -> str:
    text = _text(value)
    if not codes.is_well_formed(text):
        raise ValueError
    return text


def _path(value: Any) -> str:
    text = _text(value)
    if paths.fault(text) is not None:
        raise ValueError
    return text


def _name(value: Any) -> str:
    path = _path(value)
    if paths.name(path) != path:
        raise ValueError
    return path


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError
    return value


def _datetime(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if not is_near(moment):
        raise ValueError
    return moment


def _days(value: Any) -> dict[date, int]:
    return {date.fromisoformat(day): _whole(number) for day, number in _items(value)}


def _former_codes(value: Any) -> dict[str, datetime | None]:
    return {_code(code): _or_none(_datetime)(until) for code, until in _items(value)}


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise TypeError
    return value.items()


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


# By the type of the field.
_READERS_OF: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    str | None: _or_none(_text),
    bool: _truth,
    int: _whole,
    int | None: _or_none(_whole),
    datetime | None: _or_none(_datetime),
    Mapping[date, int]: _days,
    Mapping[str, datetime | None]: _former_codes,
}
_READERS: dict[str, Callable[[Any], Any]] = {
    **{one.name: _READERS_OF[one.type] for one in fields(LinkRecord)},
    "code": _code,
    "path": _path,
    "name": _name,
}

# What no message shows: codes open files.
_SECRET = {"code", "password", "former_codes"}

# What a cell of CSV holds as JSON.
_NO_TEXT = {
    one.name for one in fields(LinkRecord) if one.type not in (str, str | None, datetime | None)
}


class Out(Protocol):
    """A text file to write to."""

    def write(self, text: str, /) -> object: ...


class WrongFormat(ValueError):
    """The file as a whole is not in the expected format."""


# In which spreadsheets save, depending on the language of their user.
_SEPARATORS = ",;\t"

Numbered = tuple[int, LinkRecord | ValueError]
"""The number of a line, counted from one, and what it holds or why it holds nothing."""


@dataclass(frozen=True, slots=True)
class Format:
    """How records become rows.

    ``write`` takes the records; ``read`` gives each row of a text file that was opened with
    ``newline=""``, and raises WrongFormat if the file as a whole is no such file.
    """

    write: Callable[[Out, Iterable[LinkRecord]], None]
    read: Callable[[Iterable[str]], Iterator[Numbered]]


def _write_json(out: Out, links: Iterable[LinkRecord]) -> None:
    for link in links:
        out.write(to_json(link) + "\n")


def _read_json(lines: Iterable[str]) -> Iterator[Numbered]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _tried(from_json, line)


def _write_csv(out: Out, links: Iterable[LinkRecord]) -> None:
    writer = csv_writer(out)
    writer.writerow(COLUMNS)
    for link in links:
        writer.writerow(to_cells(link))


def _read_csv(lines: Iterable[str]) -> Iterator[Numbered]:
    # A note, or ten thousand days, may be longer than what is usual for a cell.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    lines = iter(lines)
    first = next(lines, "")
    # No name of a column has one, so what there is most of divides the cells.
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=separator, strict=True)
    try:
        names = next(reader, [])
        _check_columns(names)
        for row in reader:
            if any(row):
                yield reader.line_num, _tried(_from_row, names, row)
    except csv.Error as error:
        raise WrongFormat(f"Line {reader.line_num} is no CSV: {error}.") from None


def _check_columns(names: list[str]) -> None:
    if missing := [name for name in REQUIRED if name not in names]:
        raise WrongFormat(f"The first line names no {' and no '.join(missing)}.")
    if unknown := [name for name in names if name not in COLUMNS]:
        raise WrongFormat(f"Unknown: {name_unknown(unknown, COLUMNS)}.")
    if twice := {name for name in names if names.count(name) > 1}:
        raise WrongFormat(f"The first line names {' and '.join(sorted(twice))} twice.")


def _from_row(names: list[str], row: list[str]) -> LinkRecord:
    if len(row) != len(names):
        raise ValueError(f"It has {len(row)} cells, and there are {len(names)} columns.")
    return from_cells(dict(zip(names, row, strict=True)))


def _tried(read: Callable[..., LinkRecord], *args: object) -> LinkRecord | ValueError:
    try:
        return read(*args)
    except ValueError as error:
        return error


FORMATS = {"jsonl": Format(_write_json, _read_json), "csv": Format(_write_csv, _read_csv)}
