"""CSV in which no spreadsheet finds a formula, with any separator that it reads the file by.

A spreadsheet computes a cell that begins like a formula, and a formula can run programs and send
the other cells away (OWASP, "CSV Injection"). Quotes do not help: read with semicolons, a file that
has commas is divided anew, inside quoted cells and at their line breaks, too. So an apostrophe goes
before a formula at the beginning of a text and behind each separator in it.
"""

import csv
import re
from typing import Any

# Full width, too, as Excel reads them in Japanese.
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_SEPARATORS = ",;\t\r\n"
# What may stand before a formula, or nothing at the beginning; marks that are there already; a
# formula. All but the last is matched without fail, so each character is looked at once.
_PLACES = re.compile(rf"""(\A[\s",;]*+|[\s",;]++)('*+)([{_FORMULA}]?)""")


def escaped(text: str) -> str:
    """Return ``text`` as a cell that no spreadsheet computes, nor any part of it."""
    return _PLACES.sub(_marked, text)


def unescaped(cell: str) -> str:
    """Return the text that was ``escaped``."""
    return _PLACES.sub(_unmarked, cell)


def writer(out: Any) -> Any:
    """Return a writer of CSV rows whose cells are all quoted."""
    return csv.writer(out, quoting=csv.QUOTE_ALL)


def _marked(place: re.Match[str]) -> str:
    before, marks, formula = place.groups()
    return f"{before}'{marks}{formula}" if _begins_cell(place) else place[0]


def _unmarked(place: re.Match[str]) -> str:
    before, marks, formula = place.groups()
    return f"{before}{marks[1:]}{formula}" if _begins_cell(place) else place[0]


def _begins_cell(place: re.Match[str]) -> bool:
    """Return True if a formula is at ``place``, and a cell could begin there."""
    divided = place.start() == 0 or any(mark in place[1] for mark in _SEPARATORS)
    return bool(place[3]) and divided
