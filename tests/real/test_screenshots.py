import os
import sys
from pathlib import Path

from tests.real.screenshots import SHOWN
from tests.real.sites import CHECKOUT, run


def test_one_command_takes_those_of_the_documentation(tmp_path: Path) -> None:
    run(
        [sys.executable, "-m", "tests.real.screenshots", str(tmp_path)],
        cwd=CHECKOUT,
        environment={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert {picture.stem for picture in tmp_path.glob("*.png")} == set(SHOWN)
    kept = {picture.stem for picture in (CHECKOUT / "docs" / "images").glob("*.png")}
    assert kept >= set(SHOWN)
