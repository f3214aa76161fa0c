"""Files of links: JSON Lines or CSV, written and read row by row."""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from directlinks.core import cells, quoting, records
from directlinks.core.records import LinkRecord


class Out(Protocol):
    def write(self, text: str, /) -> object: ...


class WrongFormat(ValueError):
    """The file as a whole is not what it was taken for."""


# In which spreadsheets save, depending on the language of their user.
_SEPARATORS = ",;\t"

Numbered = tuple[int, LinkRecord | ValueError]
"""The number of a line, counted from one, and what it holds or why it holds nothing."""


@dataclass(frozen=True, slots=True)
class Format:
    """How records become rows.

    ``write`` takes the records; ``read`` gives each row of a text file that was opened with
    ``newline=""``, and raises WrongFormat where the file as a whole is no such file.
    """

    write: Callable[[Out, Iterable[LinkRecord]], None]
    read: Callable[[Iterable[str]], Iterator[Numbered]]


def _write_json(out: Out, links: Iterable[LinkRecord]) -> None:
    for link in links:
        out.write(records.to_json(link) + "\n")


def _read_json(lines: Iterable[str]) -> Iterator[Numbered]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _tried(records.from_json, line)


def _write_csv(out: Out, links: Iterable[LinkRecord]) -> None:
    writer = cells.writer(out)
    writer.writerow(records.COLUMNS)
    for link in links:
        writer.writerow(records.to_cells(link))


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
    if missing := [name for name in records.REQUIRED if name not in names]:
        raise WrongFormat(f"The first line names no {' and no '.join(missing)}.")
    if unknown := [name for name in names if name not in records.COLUMNS]:
        raise WrongFormat(f"Unknown: {quoting.unknown(unknown, records.COLUMNS)}.")
    if twice := {name for name in names if names.count(name) > 1}:
        raise WrongFormat(f"The first line names {' and '.join(sorted(twice))} twice.")


def _from_row(names: list[str], row: list[str]) -> LinkRecord:
    if len(row) != len(names):
        raise ValueError(f"It has {len(row)} cells, and there are {len(names)} columns.")
    return records.from_cells(dict(zip(names, row, strict=True)))


def _tried(read: Callable[..., LinkRecord], *args: object) -> LinkRecord | ValueError:
    try:
        return read(*args)
    except ValueError as error:
        return error


FORMATS = {"jsonl": Format(_write_json, _read_json), "csv": Format(_write_csv, _read_csv)}
