"""The package as a whole."""

from pathlib import Path

import directlinks


def test_no_module_has_moved_a_second_job_in() -> None:
    """One of more than 250 lines would have."""
    package = Path(directlinks.__file__).parent
    modules = [path for path in package.rglob("*.py") if path.parent.name != "migrations"]
    lengths = {path: len(path.read_text().splitlines()) for path in modules}
    assert {path.name for path, length in lengths.items() if length > 250} == set()
