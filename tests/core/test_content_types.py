"""Content types by extension, the same everywhere."""

import pytest

from directlinks.core.content_types import UNKNOWN, guess, is_well_formed, own_or_guessed


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


@pytest.mark.parametrize(
    ("content_type", "formerly", "name", "expected"),
    [
        ("", "a.png", "a.png", "image/png"),
        ("", "a", "a", UNKNOWN),
        ("image/x-mine", "a.png", "a.txt", "image/x-mine"),
        ("image/png", "a.png", "a.txt", "text/plain"),
        ("image/png", "a.png", "a", "image/png"),
    ],
)
def test_a_files_type_is_its_own_or_follows_its_name(
    content_type: str, formerly: str, name: str, expected: str
) -> None:
    assert own_or_guessed(content_type, formerly, name) == expected
