"""Content types by file extension: the same on every machine and with every Python.

What the operating system says of extensions differs from one to the next, and what Python says
from version to version; a visitor's browser must not notice.
"""

import mimetypes
import re

UNKNOWN = "application/octet-stream"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf" *; *{_WORD}=(?:{_WORD}|\"[^\"\\,\x00-\x1f\x7f-\U0010ffff]*\")"
_WELL_FORMED = re.compile(rf"{_WORD}/{_WORD}(?:{_PARAMETER})*")

_TYPES = mimetypes.MimeTypes(filenames=())
for _extension, _type in {
    ".7z": "application/x-7z-compressed",
    ".aac": "audio/aac",
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".heic": "image/heic",
    ".js": "text/javascript",
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mkv": "video/x-matroska",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".rar": "application/vnd.rar",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".xhtml": "application/xhtml+xml",
    ".xml": "text/xml",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}.items():
    _TYPES.add_type(_type, _extension)

# A compressed file is what its compression is: its bytes are not those of the file inside.
_COMPRESSIONS = {
    "br": UNKNOWN,
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}


def is_well_formed(content_type: str) -> bool:
    """Whether ``content_type`` is one type with its parameters, as RFC 9110, section 8.3.1 has it.

    A comma would make two of it, of which browsers take the last.
    """
    return _WELL_FORMED.fullmatch(content_type) is not None


def guess(name: str) -> str:
    """The content type of a file called ``name``, by its extension alone."""
    # A bare path is wanted: guess_type() would read "data:,x.png" as a URL with a type of its own.
    content_type, compression = _TYPES.guess_type("./" + name)
    if compression is not None:
        return _COMPRESSIONS[compression]
    return content_type or UNKNOWN


def own_or_guessed(content_type: str, formerly: str, name: str) -> str:
    """The ``content_type`` that was given to a file, else what its ``name`` says.

    One that its former name had said changes with the name, unless the new one says nothing.
    """
    guessed = guess(name)
    if not content_type:
        return guessed
    is_renamed = content_type == guess(formerly) and guessed != UNKNOWN
    return guessed if is_renamed else content_type
