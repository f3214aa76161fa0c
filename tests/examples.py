"""How many examples a property is tried with, if 100 are too many or too few for it."""

from hypothesis import settings


def examples(thorough: int) -> int:
    """Return ``thorough`` for the profile of that name, and in proportion for any other."""
    return max(1, thorough * settings().max_examples // 100)
