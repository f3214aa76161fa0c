"""Paths inside an owner's space: which may be stored, and the digest used for look-ups.

Two paths are one if they are equal under Unicode's NFC: macOS decomposes what others compose. The
stored spelling stays; every comparison uses ``nfc``.
"""

import hashlib
import unicodedata
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


def quote(text: str) -> str:
    r"""Return ``text`` in double quotes, on one line, with printable characters kept.

    Undecodable bytes (surrogates of ``surrogateescape``) appear as ``\xNN``.
    """
    return '"' + "".join(map(_escaped, text)) + '"'


# A message shows up to five names that a stranger has sent, and the beginning of each.
_MOST_NAMES = 5
_MOST_CHARACTERS = 50


def name_unknown(names: Iterable[str], known: Collection[str]) -> str:
    """Return ``names``, none of which is known, each with the known one that is most like it."""
    shown = [name[:_MOST_CHARACTERS] for name in sorted(names)[:_MOST_NAMES]]
    return ", ".join(quote(name) + _suggestion(name, known) for name in shown)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the name among ``known`` that is most like ``name``, or None if none is like it."""
    by_lower_case = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.7)
    return by_lower_case[close[0]] if close else None


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = nearest_name(name, known)
    return "" if close is None else f" (did you mean {quote(close)}?)"


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


def strip_bidi_controls(text: str) -> str:
    """Return ``text`` without bidi controls, which can make ``exe.txt`` of ``txt.exe``."""
    return "".join(c for c in text if bidirectional(c) not in _REORDERING)


MAX_CHARACTERS = 1024
MAX_ELEMENTS = 64
MAX_EXPANSION = 4
"""A spelling of a path has at most this many times the characters of another."""
MAX_NAME_BYTES = 255
"""The longest name that common file systems hold, so that what is downloaded can be saved."""

HEAD_CHARACTERS = 255
"""How much of a path every supported database can hold in an index."""

_NO_NAMES = frozenset({"", ".", ".."})


def nfc(path: str) -> str:
    """Return ``path`` under Unicode's normalization form C, by which paths are compared."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def fault(path: str, *, any_spelling: bool = False) -> str | None:
    """Return what forbids storing ``path``, in a sentence, or None.

    With ``any_spelling``, what forbids storing every path that is equal to it: another spelling may
    be shorter.
    """
    names = path.split("/")
    is_loose = any_spelling and not path.isascii()
    if not path:
        return "A path cannot be empty."
    if len(path) > MAX_CHARACTERS * (MAX_EXPANSION if is_loose else 1):
        return f"A path can have up to {MAX_CHARACTERS} characters."
    if len(names) > MAX_ELEMENTS:
        return f"A path can have up to {MAX_ELEMENTS} names."
    # What is printable holds neither, and is told apart in a tenth of the time.
    if not path.isprintable() and any(map(_is_forbidden, path)):
        return "A path cannot contain control characters or undecodable bytes."
    if not _NO_NAMES.isdisjoint(names):
        return (
            "Enter a path such as photos/2026/cat.jpg: "
            "no slash at the start or end, no '.' or '..'."
        )
    if (
        not is_loose
        and len(path) * 4 > MAX_NAME_BYTES
        and any(len(name.encode()) > MAX_NAME_BYTES for name in names)
    ):
        return f"A name can have up to {MAX_NAME_BYTES} bytes."
    return None


def _is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def key(path: str) -> str:
    """Return 64 hexadecimal digits that stand for ``path`` in unique indexes and look-ups.

    An index cannot hold 1024 characters on every database, and a digest is compared byte by byte
    in every collation. ``path`` has no fault.
    """
    return hashlib.sha256(nfc(path).encode()).hexdigest()


def head(path: str) -> str:
    """Return as much of ``path`` under NFC as an index can hold."""
    return nfc(path)[:HEAD_CHARACTERS]


def bounds(folder: str) -> tuple[str, str]:
    """Return the bounds of the paths below ``folder``, all under NFC, in the order of code points.

    Each is at least the first and before the second: the character after "/" is "0". LIKE would
    ignore case on SQLite, and take some characters of ``folder`` for more than themselves.
    """
    return f"{nfc(folder)}/", f"{nfc(folder)}0"


def name(path: str) -> str:
    """Return the last name of ``path``."""
    return path.rpartition("/")[2]


def folders(path: str) -> list[str]:
    """Return the folders of ``path``, the outermost first."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names))]
