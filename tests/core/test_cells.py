"""Texts that a spreadsheet must not compute, and that come back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.core.cells import escaped, unescaped

HOSTILE = st.text(st.sampled_from(" '=+-@\t\r\n\u00a0\u3000\uff1d\uff0b\uff0d\uff20;,\"a1"))


@given(HOSTILE | st.text())
def test_every_text_comes_back(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(HOSTILE | st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = escaped(text)
    assert not cell.lstrip().startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))
    assert not cell.startswith(("\t", "\r", "\n"))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("a=1", "a=1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("  +1", "'  +1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\ttab", "'\ttab"),
        ("\uff1d1", "'\uff1d1"),
        ("'quoted'", "''quoted'"),
    ],
)
def test_what_could_be_computed_gets_an_apostrophe(text: str, cell: str) -> None:
    assert escaped(text) == cell
