"""Tables of cases with every pair of values, in place of every combination."""

from collections.abc import Sequence
from typing import Any

import pytest
from allpairspy import AllPairs


def pairwise(*, indirect: Sequence[str] = (), **dimensions: Sequence[Any]) -> pytest.MarkDecorator:
    """Parametrize a test so that each value meets each value of every other dimension once.

    Use it if the dimensions are independent, so that no fault needs three values to be seen. Three
    dimensions of five values have 125 combinations, and about 25 cases with all pairs.
    """
    cases = list(AllPairs([list(values) for values in dimensions.values()]))
    return pytest.mark.parametrize(list(dimensions), cases, indirect=indirect, ids=_name_of)


def _name_of(value: object) -> str | None:
    """Return the name of a function; pytest itself names all else."""
    return getattr(value, "__name__", None)
