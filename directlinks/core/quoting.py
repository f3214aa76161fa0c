"""Text from strangers, made fit for one line of an error message."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from unicodedata import bidirectional

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """``text`` in double quotes, on one line, with printable characters kept.

    Undecodable bytes (surrogates of ``surrogateescape``) appear as ``\\xNN``.
    """
    return '"' + "".join(map(_escaped, text)) + '"'


# A message shows up to five names that a stranger has sent, and the beginning of each.
_MOST_NAMES = 5
_MOST_CHARACTERS = 50


def unknown(names: Iterable[str], known: Collection[str]) -> str:
    """Return ``names``, none of which is known, each with the known one that is most like it."""
    shown = [name[:_MOST_CHARACTERS] for name in sorted(names)[:_MOST_NAMES]]
    return ", ".join(quoted(name) + _suggestion(name, known) for name in shown)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name among ``known`` that is most like ``name``, or None if none is like it."""
    by_lower_case = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.7)
    return by_lower_case[close[0]] if close else None


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = nearest(name, known)
    return "" if close is None else f" (did you mean {quoted(close)}?)"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


# The classes of the characters that embed, override or isolate a direction (UAX #9).
_REORDERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def in_order(text: str) -> str:
    """``text`` without characters that reorder it: they can make ``exe.txt`` of ``txt.exe``."""
    return "".join(c for c in text if bidirectional(c) not in _REORDERING)
