"""Texts that a spreadsheet must not compute, and that come back as they were."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.core.cells import escaped, unescaped

HOSTILE = st.text(st.sampled_from(" '=+-@\t\r\n\u00a0\u3000\uff1d\uff0b\uff0d\uff20;,\"a1"))


@given(HOSTILE | st.text())
def test_every_text_comes_back(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(HOSTILE | st.text())
def test_no_part_of_a_cell_begins_like_a_formula(text: str) -> None:
    for part in re.split(r"[,;\t\r\n]", escaped(text)):
        assert not re.match(r"[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]", part)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("a=1", "a=1"),
        ("a - b", "a - b"),
        ("'quoted', 'twice'", "'quoted', 'twice'"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("  +1", "  '+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("a;=1+11", "a;'=1+11"),
        ('a; "=1+11', "a; \"'=1+11"),
        ("a,=1\t=2", "a,'=1\t'=2"),
        ("a\r\n=1+11", "a\r\n'=1+11"),
    ],
)
def test_what_could_be_computed_gets_an_apostrophe(text: str, cell: str) -> None:
    assert escaped(text) == cell
