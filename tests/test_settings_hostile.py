"""The second site that the tests run on leaves out no more than it says."""

from pathlib import Path

import pytest

from tests.settings_hostile import LEFT_OUT

CHECKOUT = Path(__file__).parent.parent


@pytest.mark.parametrize("file", LEFT_OUT)
def test_each_test_that_it_leaves_out_exists(file: str) -> None:
    source = (CHECKOUT / file).read_text()
    names = [name.rpartition("::")[2] for name in LEFT_OUT[file]]
    assert [name for name in names if f"def {name}(" not in source] == []
