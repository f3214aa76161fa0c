"""One byte range of one file (RFC 9110, section 14).

A range that cannot be read, or a list of several, is ignored: the whole file is always a correct
answer, and several ranges in one response are what memory attacks are made of.
"""

import re
from dataclasses import dataclass

_LONGEST_HEADER = 128
_ONE_RANGE = re.compile(
    r"bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The bytes ``start`` to ``stop`` (exclusive) of ``size``, and the status that says so."""

    status: int
    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str | None:
        """The Content-Range header of a 206 or 416."""
        if self.status == 206:
            return f"bytes {self.start}-{self.stop - 1}/{self.size}"
        if self.status == 416:
            return f"bytes */{self.size}"
        return None


def select(header: str | None, size: int) -> Selection:
    """What the Range ``header`` selects of a file of ``size`` bytes."""
    whole = Selection(200, 0, size, size)
    if header is None or size == 0 or len(header) > _LONGEST_HEADER:
        return whole
    match = _ONE_RANGE.fullmatch(header)
    if match is None:
        return whole
    first, last, suffix = match.groups()
    if suffix is not None:
        start, stop = max(size - int(suffix), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return whole
    if start >= size:
        return Selection(416, size, size, size)
    return Selection(206, start, stop, size)


def still_matches(if_range: str | None, *, etag: str, last_modified: str) -> bool:
    """Whether a Range may be honoured under the ``If-Range`` header (RFC 9110, section 13.1.5).

    ``etag`` is the strong entity tag and ``last_modified`` the date, each as its header shows it.
    A client echoes one of the two; anything else means that it holds part of another content.
    """
    return if_range is None or if_range.strip() in (etag, last_modified)
