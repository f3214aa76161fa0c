"""Paths inside an owner's space: what may be stored, and the digest that look-ups go by."""

import hashlib
import unicodedata

MAX_CHARACTERS = 1024
MAX_ELEMENTS = 64
MAX_NAME_BYTES = 255
"""The longest name that common file systems hold, so that what is downloaded can be saved."""

HEAD_CHARACTERS = 255
"""How much of a path every supported database can hold in an index."""

_NO_NAMES = frozenset({"", ".", ".."})


def fault(path: str) -> str | None:
    """What forbids storing ``path``, in a sentence, or None where nothing does."""
    names = path.split("/")
    if not path:
        return "A path cannot be empty."
    if len(path) > MAX_CHARACTERS:
        return f"A path holds at most {MAX_CHARACTERS} characters."
    if len(names) > MAX_ELEMENTS:
        return f"A path holds at most {MAX_ELEMENTS} names."
    # What is printable holds neither, and is told apart in a tenth of the time.
    if not path.isprintable() and any(map(_is_forbidden, path)):
        return "A path cannot hold control characters or undecodable bytes."
    if not _NO_NAMES.isdisjoint(names):
        return "A path is names joined by single slashes, none at its ends, and no name is . or .."
    if len(path) * 4 > MAX_NAME_BYTES and any(
        len(name.encode()) > MAX_NAME_BYTES for name in names
    ):
        return f"A name holds at most {MAX_NAME_BYTES} bytes."
    return None


def _is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def key(path: str) -> str:
    """64 hexadecimal digits that stand for ``path`` in unique indexes and look-ups.

    An index cannot hold 1024 characters on every database, and a digest is compared byte by byte
    whatever the collation. ``path`` has no fault.
    """
    return hashlib.sha256(path.encode()).hexdigest()


def name(path: str) -> str:
    """The last name of ``path``."""
    return path.rpartition("/")[2]


def folders(path: str) -> list[str]:
    """The folders that ``path`` lies in, the outermost first."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names))]
