"""Link codes: random secrets that say nothing about the file, its owner or its age.

A link is an anonymous bearer right, so its code must not be guessable: W3C's "Good Practices for
Capability URLs" asks for at least 120 random bits. The default, 22 characters out of 57, has 128.3.
"""

import math
import re
import secrets
from collections.abc import Callable
from unicodedata import normalize

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Letters and digits without the look-alikes 0 O 1 I l."""

LENGTH = 22
SHORTEST, LONGEST = 4, 64

# Wider than what is generated, so that links survive a change of length or alphabet, and links
# that were made elsewhere can be taken over.
PATTERN = rf"[0-9A-Za-z_-]{{{SHORTEST},{LONGEST}}}"
_WELL_FORMED = re.compile(PATTERN)


def generate(
    number: int,
    length: int = LENGTH,
    alphabet: str = ALPHABET,
    *,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> list[str]:
    """Return ``number`` codes of ``length`` characters, drawn from ``alphabet`` with equal odds.

    ``alphabet`` is ASCII. Each byte of ``random_bytes`` becomes a character. Those from the last
    multiple of the alphabet's size on are thrown away: they would favour its first characters.
    """
    size = len(alphabet)
    characters = bytes(ord(alphabet[byte % size]) for byte in range(256))
    unfair = bytes(range(256 - 256 % size, 256))
    drawn = b""
    while missing := number * length - len(drawn):
        drawn += random_bytes(missing).translate(characters, unfair)
    text = drawn.decode()
    return [text[start : start + length] for start in range(0, number * length, length)]


def random_bits(length: int, alphabet: str) -> float:
    """Return the entropy in bits of a code of ``length`` characters of ``alphabet``."""
    return length * math.log2(len(alphabet))


# A new code of 64 bits equals one of 10⁹ old ones with a probability of 5 in 10¹¹.
UNREPEATED_BITS = 64


def may_repeat(length: int, alphabet: str) -> bool:
    """Return True if a code that was drawn before may well be drawn again."""
    return random_bits(length, alphabet) < UNREPEATED_BITS


# With fewer characters the name of a file is part of what keeps a link from being guessed.
SHORT = 16


def is_well_formed(code: str) -> bool:
    """Return True if ``code`` could be a code; nothing else is worth a query."""
    return _WELL_FORMED.fullmatch(code) is not None


def shortened(code: str) -> str:
    """Return what a log may show of a code: enough to find the link, too little to open it.

    Return "(no code)" for anything else, since that may be anything.
    """
    return code[:4] + "…" if is_well_formed(code) else "(no code)"


# The punctuation that ends sentences, brackets and quotations, in ASCII, in typographic forms, and
# as it is written in Chinese, Japanese, Arabic and Hindi.
BEHIND = frozenset(
    ".,;:!?)]}>'\"/"
    "\u2018\u2019\u201c\u201d\u2026\u00ab\u00bb\u2039\u203a"
    "\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015"
    "\uff01\uff02\uff07\uff09\uff0c\uff0e\uff0f\uff1a\uff1b\uff1e\uff1f\uff3d\uff5d\uff61\uff63\uff64"
    "\u060c\u061b\u061f\u0964"
)


def is_name_of(given: str, name: str, code: str) -> bool:
    """Return True if a visitor who asks for ``given`` behind ``code`` means the file ``name``.

    One final slash never matters. A short code asks for the exact name, which helps to keep its
    link from being guessed.
    """
    if given.removesuffix("/") == name:
        return True
    if len(code) < SHORT:
        return False
    given, name = normalize("NFC", given), normalize("NFC", name)
    return given.startswith(name) and BEHIND.issuperset(given[len(name) :])
