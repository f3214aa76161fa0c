"""The file-URI grammar: ``cloudreve://[user[:password]@]fs[/path][?query][#fragment]``.

Text goes in, a :class:`FileURI` comes out, and from it the two texts that an answer holds: the
canonical one, which keys the errors, and ``file_url``, which names the file that was found.

The grammar is that of a generic URI (RFC 3986) as lenient clients need it: blanks, quotes and
non-ASCII characters may stand unescaped. It is read over bytes, because an escape may stand for
bytes that are not UTF-8; such bytes appear as ``surrogateescape`` surrogates in decoded text.
"""

import re
from string import ascii_letters, digits
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from directlinks.core.errors import UnknownURI
from directlinks.core.paths import quote

SCHEME = "cloudreve"
SITE = "~site"
"""The user part of URIs in the site's own space, whose files have no owner."""
MAX_BYTES = 16 * 1024
"""A longer URI is refused before it is read."""

_UNRESERVED = ascii_letters + digits + "-_.~"

# What stays bare where this module writes text; everything else becomes %XX.
_PATH_BARE = _UNRESERVED + "$&+,/:;=@"
_USERINFO_BARE = _UNRESERVED + "$&+,;="
_FRAGMENT_BARE = _UNRESERVED + "$&+,/:;=?@!()*"
_FILE_URL_BARE = _UNRESERVED + "!*'()"
_HOST_BARE = _UNRESERVED + "!$&'()*+,;=:[]<>\""

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_BARE_FILE_URL = re.compile(r"[A-Za-z0-9\-_.~!*'()/]*")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_USERINFO = re.compile(rb"[A-Za-z0-9\-._~:!$&'()*+,;=%@]*")
_PORT = re.compile(rb"(?::[0-9]*)?")
_NOT_IN_HOST = re.compile(rb"[^A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"%\x80-\xff]")
_ASCII_ESCAPE = re.compile(rb"%[0-7][0-9A-Fa-f]")
# A path or fragment made of these alone is kept as it was typed.
_TYPED_PATH = re.compile(rb"[A-Za-z0-9\-_.~!$&'()*+,;=:@\[\]/%]*")
# What most URIs are: nothing to decode and nothing to clean. They are their own canonical text.
_PLAIN = re.compile(
    r"cloudreve://(?:([A-Za-z0-9\-._~]+)@)?my/((?:(?!\.\.?(?:/|\Z))[A-Za-z0-9\-_.~!$&'()*+,;=:@]+/)*"
    r"(?!\.\.?\Z)[A-Za-z0-9\-_.~!$&'()*+,;=:@]+)"
)
_TYPED_FRAGMENT = re.compile(rb"[A-Za-z0-9\-_.~!$&'()*+,;=:@\[\]/?%]*")


# A tuple, because a batch makes thousands: a frozen dataclass takes three times as long.
class FileURI(NamedTuple):
    """One parsed file URI.

    ``fs`` is in lower case. ``user`` and ``password`` are None if the text has none; an empty
    one is "". ``path`` is cleaned and without a leading slash, as files are stored; "" is the root.
    ``canonical`` is spelling, not meaning: two spellings of one file are equal.
    """

    fs: str
    user: str | None
    password: str | None
    path: str
    canonical: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileURI) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])

    def file_url(self) -> str:
        """Return the URI to show for this file: no password, query or fragment, clean path."""
        return file_url(self.path, self.user)


def file_url(path: str, user: str | None = None) -> str:
    """Return the file URI of a stored ``path`` in ``user``'s space, or the reader's own if None."""
    userinfo = "" if user is None else _escape(_to_bytes(user), _USERINFO_BARE) + "@"
    if _BARE_FILE_URL.fullmatch(path):
        return f"{SCHEME}://{userinfo}my/{path}"
    names = "/".join(_escape(_to_bytes(name), _FILE_URL_BARE) for name in path.split("/"))
    return f"{SCHEME}://{userinfo}my/{names}"


def parse(text: str) -> FileURI:
    """Return the file URI in ``text``.

    Raise UnknownURI if it is none; its cause says what is wrong.
    """
    if len(text) <= MAX_BYTES and (plain := _PLAIN.fullmatch(text)) is not None:
        user, path = plain.groups()
        return FileURI("my", user, None, path, text)
    try:
        return _parse(text)
    except _Malformed as malformed:
        shown = text if len(text) <= 200 else text[:200] + "…"
        reason = f"failed to parse uri: parse {quote(shown)}: {malformed}"
        raise UnknownURI(cause=reason) from None


class _Malformed(Exception):
    pass


class _Authority(NamedTuple):
    user: bytes | None
    password: bytes | None
    host: bytes

    @property
    def userinfo(self) -> str:
        if self.user is None:
            return ""
        password = "" if self.password is None else ":" + _escape(self.password, _USERINFO_BARE)
        return _escape(self.user, _USERINFO_BARE) + password + "@"


def _parse(text: str) -> FileURI:
    # A lone surrogate becomes three bytes that are not UTF-8: it can be shown, but never stored.
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise _Malformed(f"longer than {MAX_BYTES} bytes")
    data, _, typed_fragment = data.partition(b"#")
    if _CONTROL.search(data):
        raise _Malformed("invalid control character in URL")
    rest = _after_scheme(data)
    rest, question_mark, query = rest.partition(b"?")
    tail = (question_mark + query).decode("utf-8", "replace") + _fragment(typed_fragment)

    if not rest.startswith(b"/"):
        opaque = rest.decode("utf-8", "replace")
        return FileURI("", None, None, "", f"{SCHEME}:{opaque}{tail}")
    if not rest.startswith(b"//"):
        path, shown = _path(rest)
        # Without this a path that begins with two slashes would read back as a file system.
        root = "//" if shown.startswith("//") else ""
        return FileURI("", None, None, _cleaned(path), f"{SCHEME}:{root}{shown}{tail}")

    host_part, slash, typed_path = rest[2:].partition(b"/")
    authority = _authority(host_part)
    path, shown = _path(slash + typed_path)
    host = _escape(authority.host, _HOST_BARE)
    root = f"//{authority.userinfo}{host}" if authority.userinfo or host or path else ""
    return FileURI(
        fs=_to_text(authority.host).lower(),
        user=None if authority.user is None else _to_text(authority.user),
        password=None if authority.password is None else _to_text(authority.password),
        path=_cleaned(path),
        canonical=f"{SCHEME}:{root}{shown}{tail}",
    )


def _after_scheme(data: bytes) -> bytes:
    if data.startswith(b":"):
        raise _Malformed("missing protocol scheme")
    match = _SCHEME.match(data)
    if match is None:
        if b":" in data.partition(b"?")[0].partition(b"/")[0]:
            raise _Malformed("first path segment in URL cannot contain colon")
        raise UnknownURI(cause="unknown scheme: ")
    scheme = match[1].decode().lower()
    if scheme != SCHEME:
        raise UnknownURI(cause=f"unknown scheme: {scheme}")
    return data[match.end() :]


def _authority(data: bytes) -> _Authority:
    userinfo, at_sign, host = data.rpartition(b"@")
    host = _host(host)
    if not at_sign:
        return _Authority(None, None, host)
    if not _USERINFO.fullmatch(userinfo):
        raise _Malformed("invalid userinfo")
    user, colon, password = userinfo.partition(b":")
    return _Authority(_unescape(user), _unescape(password) if colon else None, host)


def _host(data: bytes) -> bytes:
    if b"[" in data and b"]" not in data:
        raise _Malformed("missing ']' in host")
    if data.startswith(b"["):
        port = data[data.rfind(b"]") + 1 :]
    else:
        port = data[data.rfind(b":") :] if b":" in data else b""
    if not _PORT.fullmatch(port):
        raise _Malformed(f"invalid port {quote(_to_text(port))} after host")
    if (escape := _ASCII_ESCAPE.search(data)) is not None:
        raise _Malformed(f"invalid URL escape {quote(_to_text(escape[0]))}")
    if (character := _NOT_IN_HOST.search(data)) is not None:
        raise _Malformed(f"invalid character {quote(_to_text(character[0]))} in host name")
    return _unescape(data)


def _path(typed: bytes) -> tuple[bytes, str]:
    """Return the decoded path without one trailing slash, and the text that stands for it."""
    decoded = _unescape(typed)
    path = decoded.removesuffix(b"/")
    # Dropping the slash makes the typed text that of another path, so it is written anew.
    if path == decoded and _TYPED_PATH.fullmatch(typed):
        return path, typed.decode()
    return path, _escape(path, _PATH_BARE)


def _fragment(typed: bytes) -> str:
    if not typed:
        return ""
    decoded = _unescape(typed)
    if _TYPED_FRAGMENT.fullmatch(typed):
        return "#" + typed.decode()
    return "#" + _escape(decoded, _FRAGMENT_BARE)


def _cleaned(path: bytes) -> str:
    """Return the path with ``.`` and ``..`` resolved; ``..`` cannot climb above the root."""
    names: list[bytes] = []
    for name in path.split(b"/"):
        if name == b"..":
            del names[-1:]
        elif name not in (b"", b"."):
            names.append(name)
    return _to_text(b"/".join(names))


def _unescape(data: bytes) -> bytes:
    if (bad := _BAD_ESCAPE.search(data)) is not None:
        raise _Malformed(f"invalid URL escape {quote(_to_text(bad[0]))}")
    return unquote_to_bytes(data)


def _escape(data: bytes, bare: str) -> str:
    return quote_from_bytes(data, bare)


def _to_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
