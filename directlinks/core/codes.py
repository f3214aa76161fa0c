"""Link codes: random secrets that say nothing about the file, its owner or its age.

A link is an anonymous bearer right, so its code must not be guessable: W3C's "Good Practices for
Capability URLs" asks for at least 120 random bits. The default, 22 characters out of 57, has 128.3.
"""

import re
import secrets
from collections.abc import Callable, Sequence

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Letters and digits without the look-alikes 0 O 1 I l."""

LENGTH = 22
SHORTEST, LONGEST = 4, 64

# Wider than what is generated, so that links survive a change of length or alphabet, and links
# that were made elsewhere can be taken over.
PATTERN = rf"[0-9A-Za-z_-]{{{SHORTEST},{LONGEST}}}"
_WELL_FORMED = re.compile(PATTERN)


def generate(
    length: int = LENGTH,
    alphabet: str = ALPHABET,
    *,
    choice: Callable[[Sequence[str]], str] = secrets.choice,
) -> str:
    """A new code of ``length`` characters, each drawn from ``alphabet`` by ``choice``."""
    return "".join(choice(alphabet) for _ in range(length))


def is_well_formed(code: str) -> bool:
    """Whether ``code`` could be a code at all: nothing else is worth a query."""
    return _WELL_FORMED.fullmatch(code) is not None


def shortened(code: str) -> str:
    """What a log may show of a code: enough to find the link, too little to open it.

    Of what is no code it shows nothing, since that may be anything.
    """
    return code[:4] + "…" if is_well_formed(code) else "(no code)"
