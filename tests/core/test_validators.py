"""``30/min`` and its like."""

import pytest

from directlinks.core import validators


@pytest.mark.parametrize(
    ("rate", "parsed"),
    [("1/s", (1, 1)), ("30/min", (30, 60)), ("5/hour", (5, 3600)), ("9/d", (9, 86_400))],
)
def test_a_rate_is_a_number_in_so_many_seconds(rate: str, parsed: tuple[int, int]) -> None:
    assert validators.parse_rate(rate) == parsed
