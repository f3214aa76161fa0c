"""Which names that visitors ask for mean the file of a link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.core import codes
from directlinks.core.asked_names import BEHIND, is_name_of

CODE = "a" * codes.LENGTH
IMPORTED = "a" * (codes.SHORT - 1)
COMPOSED, APART = "caf\u00e9.pdf", "cafe\u0301.pdf"


@pytest.mark.parametrize(
    ("asked", "name", "is_meant"),
    [
        ("a.pdf", "a.pdf", True),
        (COMPOSED, APART, True),
        (APART, COMPOSED, True),
        ("a.pdf/", "a.pdf", True),
        ("a.pdf.", "a.pdf", True),
        ("a.pdf?!)].", "a.pdf", True),
        ("a.pdf/).", "a.pdf", True),
        ("a.pdf>'\"}", "a.pdf", True),
        ("a.pdf\u3002", "a.pdf", True),
        ("a.pdf\uff0c", "a.pdf", True),
        ("a.pdf\uff09\u300d", "a.pdf", True),
        ("a.pdf\u201d", "a.pdf", True),
        (APART + "\u300d", COMPOSED, True),
        # A name may end in what is taken off others.
        ("why?", "why?", True),
        ("why?)", "why?", True),
        ("why", "why?", False),
        ("a.pd", "a.pdf", False),
        ("a.pdfx", "a.pdf", False),
        ("a.pdf.x", "a.pdf", False),
        ("A.pdf", "a.pdf", False),
        (".a.pdf", "a.pdf", False),
        ("", "a.pdf", False),
        # Characters that only look alike are others.
        ("\uff41.pdf", "a.pdf", False),
        # An accent behind the name makes another letter of its last one.
        ("cafe\u0301", "cafe", False),
    ],
)
def test_punctuation_behind_a_name_and_the_spelling_of_accents_do_not_matter(
    asked: str, name: str, is_meant: bool
) -> None:
    assert is_name_of(asked, name, CODE) is is_meant


@pytest.mark.parametrize(
    ("asked", "is_meant"),
    [(COMPOSED, True), (COMPOSED + "/", True), (COMPOSED + ".", False), (APART, False)],
)
def test_a_short_code_asks_for_the_exact_name(asked: str, is_meant: bool) -> None:
    assert is_name_of(asked, COMPOSED, IMPORTED) is is_meant


@given(st.text(min_size=1), st.text(sorted(BEHIND)))
def test_whatever_stands_behind_a_name_it_is_meant(name: str, behind: str) -> None:
    assert is_name_of(name + behind, name, CODE)


@given(st.text(min_size=1), st.text(min_size=1))
def test_nothing_else_is_meant(asked: str, name: str) -> None:
    if is_name_of(asked, name, CODE):
        assert is_name_of(asked.rstrip("".join(BEHIND)), name.rstrip("".join(BEHIND)), CODE)
