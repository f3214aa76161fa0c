"""Headers that answers of several kinds share."""

from unicodedata import bidirectional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.delivery.headers import disposition, with_charset


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("a.txt", 'filename="a.txt"'),
        ("folder/a.txt", 'filename="a.txt"'),
        ("../../a.txt", 'filename="a.txt"'),
        ('a"b.txt', 'filename="a\\"b.txt"'),
        ("a\\b.txt", 'filename="a\\\\b.txt"'),
        ("a;b.txt", 'filename="a;b.txt"'),
        ("新 文件.txt", "filename*=utf-8''%E6%96%B0%20%E6%96%87%E4%BB%B6.txt"),
        ("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069a.txt", 'filename="a.txt"'),
        ("a\tb\x7f.txt\n", 'filename="ab.txt"'),
        ("عربي.txt", "filename*=utf-8''%D8%B9%D8%B1%D8%A8%D9%8A.txt"),
    ],
)
@pytest.mark.parametrize("attachment", [False, True])
def test_a_name_is_quoted(name: str, parameter: str, attachment: bool) -> None:
    kind = "attachment" if attachment else "inline"
    assert disposition(name, attachment=attachment) == f"{kind}; {parameter}"


@pytest.mark.parametrize(("attachment", "expected"), [(False, "inline"), (True, "attachment")])
@pytest.mark.parametrize("name", ["", "\u202e"])
def test_where_no_name_is_left_none_is_said(name: str, attachment: bool, expected: str) -> None:
    assert disposition(name, attachment=attachment) == expected


@given(name=st.text(st.characters(exclude_categories=["Cs"])), attachment=st.booleans())
def test_no_name_leaves_ascii_or_reorders_text(name: str, attachment: bool) -> None:
    header = disposition(name, attachment=attachment)
    assert header.isascii()
    assert header.isprintable()
    assert {bidirectional(character) for character in header}.isdisjoint({"RLO", "LRO"})
    assert "%E2%80%AE" not in header


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/plain; charset=latin-1", "text/plain; charset=latin-1"),
        ("text/plain; Charset=latin-1", "text/plain; Charset=latin-1"),
        ("text/plain; format=flowed", "text/plain; format=flowed; charset=utf-8"),
        ("image/png", "image/png"),
        ("application/json", "application/json"),
    ],
)
def test_text_says_its_charset(content_type: str, expected: str) -> None:
    assert with_charset(content_type) == expected
