"""Link codes: unguessable, easy to read aloud, and safe in a URL."""

import math
import re
import secrets
from collections.abc import Sequence

import pytest

from directlinks.core import codes


def test_100_000_codes_are_unique_and_well_formed() -> None:
    made = {codes.generate() for _ in range(100_000)}
    assert len(made) == 100_000
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
    assert codes.generate.__kwdefaults__ == {"choice": secrets.choice}


def test_length_alphabet_and_dice_are_arguments() -> None:
    thrown: list[Sequence[str]] = []

    def first(alphabet: Sequence[str]) -> str:
        thrown.append(alphabet)
        return alphabet[len(thrown) % 2]

    assert codes.generate(5, "xyz", choice=first) == "yxyxy"
    assert thrown == ["xyz"] * 5


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
