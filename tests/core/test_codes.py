"""Link codes: unguessable, easy to read aloud, and safe in a URL."""

import math
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.core import codes
from directlinks.core.codes import BEHIND, is_name_of


def test_100_000_codes_are_unique_and_well_formed() -> None:
    made = codes.generate(100_000)
    assert len(set(made)) == len(made) == 100_000
    assert {len(code) for code in made} == {22}
    assert set("".join(made)) == set(codes.ALPHABET)
    assert all(map(codes.is_well_formed, made))


def test_a_default_code_has_at_least_128_bits() -> None:
    assert codes.LENGTH * math.log2(len(set(codes.ALPHABET))) >= 128


def test_the_alphabet_has_57_symbols_without_look_alikes() -> None:
    assert len(codes.ALPHABET) == 57
    assert len(set(codes.ALPHABET)) == 57
    assert not set("0O1Il") & set(codes.ALPHABET)


def test_the_dice_are_those_of_the_operating_system() -> None:
    assert codes.generate.__kwdefaults__ == {"random_bytes": secrets.token_bytes}


def test_length_alphabet_and_dice_are_arguments() -> None:
    thrown = iter([bytes([3, 4, 5, 6, 7, 8])])
    assert codes.generate(2, 3, "xyz", random_bytes=lambda _: next(thrown)) == ["xyz", "xyz"]
    assert codes.generate(0, random_bytes=lambda _: next(thrown)) == []


@pytest.mark.parametrize("size", [2, 3, 57, 64])
def test_every_character_has_the_same_odds(size: int) -> None:
    """Each of the 256 bytes once: characters are drawn equally often, and the rest again."""
    alphabet = (codes.ALPHABET + "0O1Il-_")[:size]
    fair = 256 // size * size
    throws = iter([bytes(range(256)), bytes(256)])
    (code,) = codes.generate(1, fair, alphabet, random_bytes=lambda _: next(throws))
    assert {code.count(character) for character in alphabet} == {256 // size}


def test_a_throw_that_would_be_unfair_is_thrown_again() -> None:
    throws, asked = iter([b"\xff\x00\xe4\x01", b"\xe3\xe5", b"\x02"]), []

    def throw(number: int) -> bytes:
        asked.append(number)
        return next(throws)

    assert codes.generate(1, 4, random_bytes=throw) == ["23" + codes.ALPHABET[-1] + "4"]
    assert asked == [4, 2, 1]


@pytest.mark.parametrize(
    ("length", "alphabet", "may"),
    [(22, codes.ALPHABET, False), (63, "xy", True), (64, "xy", False), (10, codes.ALPHABET, True)],
)
def test_only_of_few_codes_one_may_come_twice(length: int, alphabet: str, may: bool) -> None:
    assert codes.may_repeat(length, alphabet) is may


@pytest.mark.parametrize("code", ["abcd", "a" * 64, "0O1Il", "-_-_", codes.ALPHABET])
def test_a_code_of_any_setting_is_well_formed(code: str) -> None:
    assert codes.is_well_formed(code) is True


@pytest.mark.parametrize(
    "code",
    [
        "",
        "abc",
        "a" * 65,
        "abcd\n",
        " abcd",
        "ab/cd",
        "ab.cd",
        "ab%41",
        "abcé",
        "abc\u0661",
        "abcd\0",
    ],
)
def test_nothing_else_is_worth_a_query(code: str) -> None:
    assert codes.is_well_formed(code) is False


def test_the_pattern_may_stand_inside_another() -> None:
    """A URL pattern is made of it, so it has no anchors and no groups."""
    assert re.compile(codes.PATTERN).groups == 0
    assert re.fullmatch(rf"f/({codes.PATTERN})/x", "f/abcd/x") is not None


def test_a_log_shows_four_characters_of_a_code() -> None:
    assert codes.shortened("abcdefgh") == "abcd…"


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
