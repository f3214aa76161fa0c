"""Content types by file extension: the same on every machine and with every Python.

What the operating system says of extensions differs from one to the next, and what Python says
from version to version; a visitor's browser must not notice.
"""

import re
from collections.abc import Mapping
from mimetypes import guess_type
from pathlib import Path
from posixpath import splitext

UNKNOWN = "application/octet-stream"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf" *; *{_WORD}=(?:{_WORD}|\"[^\"\\,\x00-\x1f\x7f-\U0010ffff]*\")"
_WELL_FORMED = re.compile(rf"{_WORD}/{_WORD}(?:{_PARAMETER})*")

_UTF8 = "; charset=utf-8"
SAMPLE_BYTES = 64 * 1024
"""How much of a text is read to learn its encoding."""

# What browsers and players expect, if it differs from the table or is missing there.
_PREFERRED = {
    "aac": "audio/aac",
    "cfg": "text/plain",
    "flac": "audio/flac",
    "py": "text/x-python",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "yaml": "application/yaml",  # RFC 9512
    "yml": "application/yaml",
    "zst": "application/zstd",
    # A compressed file is what its compression is: its contents are not those of the file inside.
    "br": UNKNOWN,
    "svgz": "application/gzip",
    "taz": "application/gzip",
    "tbz": "application/x-bzip2",
    "tbz2": "application/x-bzip2",
    "tgz": "application/gzip",
    "txz": "application/x-xz",
    "tz": "application/gzip",
    "z": "application/x-compress",
}


def _table() -> dict[str, str]:
    lines = Path(__file__).with_name("mime.types").read_text("ascii").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {extension: row[0] for row in rows for extension in row[1:]}


_TYPES = _table() | _PREFERRED


def is_well_formed(content_type: str) -> bool:
    """Return True if ``content_type`` is one type with its parameters (RFC 9110, section 8.3.1).

    A comma would make two of it, of which browsers take the last.
    """
    return _WELL_FORMED.fullmatch(content_type) is not None


def sendable(content_type: str) -> str:
    """Return ``content_type`` for a header, or UNKNOWN if it is not well-formed."""
    return content_type if is_well_formed(content_type) else UNKNOWN


def guess(name: str, added: Mapping[str, str] = {}) -> str:
    """Return the content type of a file called ``name``, by its extension alone.

    ``added`` are content types by extension, such as ``{".step": "model/step"}``, that come before
    those of the table.
    """
    extension = splitext(name)[1].lower()
    return added.get(extension) or _TYPES.get(extension[1:], UNKNOWN)


def implies_encoding(name: str) -> bool:
    """Return True if storages may take ``name`` for that of a document in an encoding.

    Those of django-storages store ``x.tar.gz`` so, and clients then decompress what they fetch.
    They ask Python, which a site or its machine may have taught more.
    """
    return any(guess_type(f"/{spelling}")[1] for spelling in (name, name.lower()))


def given_or_guessed(
    content_type: str, formerly: str, name: str, added: Mapping[str, str] = {}
) -> str:
    """Return the ``content_type`` that was given to a file, or else what its ``name`` says.

    A type that was guessed from its former name changes with the name, unless the new name says
    nothing.
    """
    guessed = guess(name, added)
    if not content_type:
        return guessed
    was_guessed = content_type.removesuffix(_UTF8) == guess(formerly, added)
    is_renamed = was_guessed and guessed not in (UNKNOWN, content_type.removesuffix(_UTF8))
    return guessed if is_renamed else content_type


def is_text_without_charset(content_type: str) -> bool:
    """Return True if ``content_type`` leaves open how its text is encoded."""
    return content_type.startswith("text/") and "charset" not in content_type.lower()


def with_charset(content_type: str, sample: bytes) -> str:
    """Return ``content_type``, and for a text in UTF-8 its charset.

    ``sample`` is the first SAMPLE_BYTES of the text, or less if it is shorter.
    """
    if is_text_without_charset(content_type) and _is_utf8(sample):
        return content_type + _UTF8
    return content_type


def without_charset(content_type: str) -> str:
    """Return ``content_type`` as it was before ``with_charset``."""
    return content_type.removesuffix(_UTF8)


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # The sample may end inside of a character.
        return len(sample) == SAMPLE_BYTES and error.reason == "unexpected end of data"
    return True
