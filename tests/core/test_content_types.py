"""Content types by extension, the same everywhere."""

import pytest

from directlinks.core import content_types
from directlinks.core.content_types import (
    SAMPLE_BYTES,
    UNKNOWN,
    given_or_guessed,
    guess,
    implies_encoding,
    is_well_formed,
    sendable,
    with_charset,
    without_charset,
)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.png", "image/png"),
        ("A.PNG", "image/png"),
        ("photo.webp", "image/webp"),
        ("a.js", "text/javascript"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.txt.bz2", "application/x-bzip2"),
        ("a.txt.xz", "application/x-xz"),
        ("a.txt.br", "application/octet-stream"),
        ("README", "application/octet-stream"),
        (".png", "application/octet-stream"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.epub", "application/epub+zip"),
        ("a.ics", "text/calendar"),
        ("a.log", "text/plain"),
        ("a.yaml", "application/yaml"),
        ("a.m4v", "video/x-m4v"),
        ("a.mp4", "video/mp4"),
        ("a.flac", "audio/flac"),
        ("a.html", "text/html"),
        ("a.Z", "application/x-compress"),
        ("a.unheard-of", "application/octet-stream"),
        # A name is a name, whatever it looks like.
        ("data:text/html,x", "application/octet-stream"),
        ("data:text/html,x.png", "image/png"),
        ("http:x.html?y.png", "image/png"),
    ],
)
def test_the_extension_decides(name: str, content_type: str) -> None:
    assert guess(name) == content_type


@pytest.mark.parametrize(
    ("content_type", "well_formed"),
    [
        ("image/png", True),
        ("application/vnd.oasis.opendocument.text", True),
        ("text/plain; charset=utf-8", True),
        ("image/svg+xml", True),
        ("", False),
        ("image", False),
        ("image/", False),
        ("image/png\r\nSet-Cookie: a=b", False),
        ("image/png; x=\r\ny", False),
        ("image/pñg", False),
        ("a b/c", False),
        # Browsers take the last of several.
        ("image/png; , text/html", False),
        ("text/plain;x,text/html", False),
        ('image/png; x="a,b"', False),
        ('text/plain; title="a b"', True),
    ],
)
def test_only_what_a_header_can_hold_is_well_formed(content_type: str, well_formed: bool) -> None:
    assert is_well_formed(content_type) == well_formed


def test_the_table_knows_most_extensions_and_holds_types_that_can_be_sent() -> None:
    assert len(content_types._TYPES) >= 900
    assert all(map(is_well_formed, content_types._TYPES.values()))


def test_a_site_adds_types_by_extension() -> None:
    added = {".step": "model/step", ".png": "image/x-mine"}
    assert guess("part.STEP", added) == "model/step"
    assert guess("a.png", added) == "image/x-mine"
    assert guess("a.gif", added) == "image/gif"


@pytest.mark.parametrize(
    ("content_type", "formerly", "name", "expected"),
    [
        ("", "a.png", "a.png", "image/png"),
        ("", "a", "a", UNKNOWN),
        ("image/x-mine", "a.png", "a.txt", "image/x-mine"),
        ("image/png", "a.png", "a.txt", "text/plain"),
        ("image/png", "a.png", "a", "image/png"),
        ("text/plain; charset=utf-8", "a.txt", "b.txt", "text/plain; charset=utf-8"),
        ("text/plain; charset=utf-8", "a.txt", "a.png", "image/png"),
        ("text/plain; charset=koi8-r", "a.txt", "a.png", "text/plain; charset=koi8-r"),
    ],
)
def test_a_files_type_was_given_or_follows_its_name(
    content_type: str, formerly: str, name: str, expected: str
) -> None:
    assert given_or_guessed(content_type, formerly, name) == expected


@pytest.mark.parametrize(
    ("content_type", "sample", "expected"),
    [
        ("text/plain", b"", "text/plain; charset=utf-8"),
        ("text/plain", b"caf\xc3\xa9", "text/plain; charset=utf-8"),
        ("text/html", b"<p>", "text/html; charset=utf-8"),
        ("text/plain; format=flowed", b"a", "text/plain; format=flowed; charset=utf-8"),
        # Latin-1 and UTF-16 would be shown with wrong characters.
        ("text/plain", b"caf\xe9", "text/plain"),
        ("text/plain", b"\xff\xfea\x00", "text/plain"),
        # Only a sample of full length may end inside of a character.
        ("text/plain", b"a\xc3", "text/plain"),
        ("text/plain", b"a" * (SAMPLE_BYTES - 1) + b"\xc3", "text/plain; charset=utf-8"),
        ("text/plain", b"\xe9" + b"a" * (SAMPLE_BYTES - 1), "text/plain"),
        ("text/plain; charset=koi8-r", b"a", "text/plain; charset=koi8-r"),
        ("text/plain; Charset=koi8-r", b"a", "text/plain; Charset=koi8-r"),
        ("image/png", b"a", "image/png"),
        ("application/json", b"{}", "application/json"),
    ],
)
def test_only_a_text_in_utf8_is_announced_as_utf8(
    content_type: str, sample: bytes, expected: str
) -> None:
    assert with_charset(content_type, sample) == expected
    assert without_charset(expected) == content_type


def test_a_type_that_is_not_well_formed_is_not_sent() -> None:
    assert sendable("text/plain; charset=utf-8") == "text/plain; charset=utf-8"
    assert sendable("image/png\r\nSet-Cookie: a=b") == UNKNOWN


@pytest.mark.parametrize(
    ("name", "implied"),
    [
        ("a.tar.gz", True),
        ("folder/a.tgz", True),
        ("a.svgz", True),
        ("a.txt.bz2", True),
        ("a.txt.xz", True),
        ("a.txt.br", True),
        ("a.Z", True),
        ("A.TAR.GZ", True),
        ("http:a.gz", True),
        ("data:,a.gz", True),
        ("a.zip", False),
        ("a.svg", False),
        ("a.gz/b.txt", False),
        ("a.tar_gz", False),
        ("gz", False),
        (".gz", False),
        ("", False),
    ],
)
def test_an_encoding_is_implied_by_what_python_knows(name: str, implied: bool) -> None:
    assert implies_encoding(name) is implied
