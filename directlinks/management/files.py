"""The files that links are exported to and imported from; ``-`` is the standard output or input."""

import io
import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from directlinks.core.records import FORMATS, Format

STANDARD = "-"


def add_file(parser: ArgumentParser, *, help_text: str) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", default=STANDARD, help=help_text)
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        help="default: csv where FILE ends in .csv, else jsonl, one JSON object on each line",
    )


def format_of(name: str, wanted: str | None) -> Format:
    """The format that was asked for, else what the name of the file says."""
    return FORMATS[wanted or ("csv" if name.lower().endswith(".csv") else "jsonl")]


@contextmanager
def reading(name: str) -> Iterator[TextIO]:
    """The file called ``name`` as text whose line ends are left as they are."""
    if name == STANDARD:
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        try:
            yield lines
        finally:
            lines.detach()  # which would be closed with it
    else:
        # Spreadsheets put a mark in front of UTF-8.
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            yield file


@contextmanager
def replacing(name: str) -> Iterator[TextIO]:
    """A new file that takes the place of ``name`` once it is whole, and that its owner alone reads.

    Codes are in it, which open files.
    """
    place = Path(name).resolve()
    if place.exists() and not place.is_file():  # a pipe, or a device
        with place.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    handle, scratch = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(scratch).replace(place)
    except BaseException:
        Path(scratch).unlink()
        raise
