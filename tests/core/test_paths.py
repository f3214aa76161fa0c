"""What may be stored as a path, and the digest that look-ups go by."""

import hashlib
import string
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directlinks.core import paths
from directlinks.core.paths import quote, strip_bidi_controls

TOO_LONG = "A path can have up to 1024 characters."
TOO_DEEP = "A path can have up to 64 names."
UNPRINTABLE = "A path cannot contain control characters or undecodable bytes."
ILL_JOINED = (
    "Enter a path such as photos/2026/cat.jpg: no slash at the start or end, no '.' or '..'."
)
LONG_NAME = "A name can have up to 255 bytes."


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "photos/2026/cat.jpg",
        ".hidden/...",
        " / ",
        'a\\b:c*?"<>|',
        "%2F/..x/%2e%2e",
        "新文件/😀\u2028",
        "a" * 255,
        "é" * 127,
        "/".join("a" * 64),
        "/".join(["a" * 255] * 4 + ["a"])[: paths.MAX_CHARACTERS - 1],
    ],
)
def test_a_path_that_may_be_stored_has_no_fault(path: str) -> None:
    assert paths.fault(path) is None


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "A path cannot be empty."),
        ("a" * 1025, TOO_LONG),
        ("/".join("a" * 65), TOO_DEEP),
        ("a\0", UNPRINTABLE),
        ("a\n/b", UNPRINTABLE),
        ("\x7f", UNPRINTABLE),
        ("\x85", UNPRINTABLE),
        ("\ud800", UNPRINTABLE),
        ("\udcff.txt", UNPRINTABLE),
        ("/", ILL_JOINED),
        ("/a", ILL_JOINED),
        ("a/", ILL_JOINED),
        ("a//b", ILL_JOINED),
        (".", ILL_JOINED),
        ("a/..", ILL_JOINED),
        ("../a", ILL_JOINED),
        ("a" * 256, LONG_NAME),
        ("a/" + "é" * 128, LONG_NAME),
        ("😀" * 64 + "/a", LONG_NAME),
    ],
)
def test_a_path_that_may_not_be_stored_says_why(path: str, fault: str) -> None:
    assert paths.fault(path) == fault


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
@settings(deadline=None)
def test_what_one_spelling_allows_all_allow_in_a_look_up(form: Any, path: str) -> None:
    spelling = unicodedata.normalize(form, path)
    assert len(spelling) <= paths.MAX_EXPANSION * len(path)
    assert paths.nfc(spelling) == paths.nfc(path)
    if paths.fault(path) is None:
        assert paths.key(spelling) == paths.key(path)
        assert paths.head(spelling) == paths.head(path)
        assert paths.fault(spelling, any_spelling=True) is None


@pytest.mark.parametrize(
    ("path", "any_spelling"),
    [
        ("é" * 200, None),
        ("é" * 1100, None),
        ("é" * 4097, TOO_LONG),
        ("a" * 256, LONG_NAME),
        ("é\0", UNPRINTABLE),
        ("é/..", ILL_JOINED),
    ],
)
def test_a_length_forbids_only_one_spelling(path: str, any_spelling: str | None) -> None:
    assert paths.fault(path) is not None
    assert paths.fault(path, any_spelling=True) == any_spelling


@given(st.text(st.characters(), max_size=40))
@settings(deadline=None)
def test_whatever_has_no_fault_has_a_key(path: str) -> None:
    """Only texts with a fault may lack a UTF-8 form."""
    storable = path if paths.fault(path) is None else "a"
    composed = unicodedata.normalize("NFC", storable)
    assert paths.key(storable) == hashlib.sha256(composed.encode()).hexdigest()


def test_a_key_is_64_hexadecimal_digits_and_exact() -> None:
    keys = {paths.key(path) for path in ("a", "A", "a ", "é", "e", "ﬁ", "fi", "漢/字")}
    assert len(keys) == 8
    assert {len(key) for key in keys} == {64}
    assert set("".join(keys)) <= set(string.hexdigits.lower())


@pytest.mark.parametrize(
    ("path", "name", "folders"),
    [
        ("cat.jpg", "cat.jpg", []),
        ("photos/cat.jpg", "cat.jpg", ["photos"]),
        ("photos/2026/cat.jpg", "cat.jpg", ["photos", "photos/2026"]),
    ],
)
def test_a_path_has_a_name_and_lies_in_folders(path: str, name: str, folders: list[str]) -> None:
    assert paths.name(path) == name
    assert paths.folders(path) == folders


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", '""'),
        ("a b'c", '"a b\'c"'),
        ('"\\', r'"\"\\"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\0\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("é新😀e\u0301", '"é新😀e\u0301"'),
        ("\x85\xa0\xad", r'"\u0085\u00a0\u00ad"'),
        ("\u2028\ufeff\ue000", r'"\u2028\ufeff\ue000"'),
        ("\U000e0001", r'"\U000e0001"'),
        (b"\xff\x80".decode(errors="surrogateescape"), r'"\xff\x80"'),
        ("\ud800\udc7f\udd00", r'"\ud800\udc7f\udd00"'),
    ],
)
def test_a_quoted_text_is_one_printable_line(text: str, shown: str) -> None:
    assert quote(text) == shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "left"), [("\u202efdp.exe", "fdp.exe"), ("a\u2066b\u2069c", "abc"), ("שלום", "שלום")]
)
def test_characters_that_reorder_a_text_are_left_out(text: str, left: str) -> None:
    assert strip_bidi_controls(text) == left
