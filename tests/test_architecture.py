"""docs/architecture.md says how the package is cut."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.cut import PACKAGE, opened_by
from tests.journeys.walked import journeys
from tests.serving.conftest import _connections_outlive_requests

__all__ = ["_connections_outlive_requests"]

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
# Every layer passes through these, so the page does not repeat them.
EVERYWHERE = {"directlinks.reporting", "directlinks.datetimes", "directlinks.users"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named_in(text: str) -> set[str]:
    """Return the modules that ``text`` names by the paths of their files, or of a folder."""
    modules = set()
    for name in re.findall(r"`([a-z_/]+(?:\.py|/))`", text):
        place = PACKAGE / name
        assert place.exists(), name
        files = place.rglob("*.py") if place.is_dir() else [place]
        modules |= {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    return {module.removesuffix(".__init__") for module in modules}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "name"), [("Creating links", "create"), ("A visit", "visit, view")]
)
def test_a_journey_runs_through_no_file_that_the_page_does_not_name(title: str, name: str) -> None:
    named = named_in(section(title)) | named_in("`querysets.py` `fields.py` `storage.py`")

    opened = set(opened_by(journeys()[name]))

    assert opened - EVERYWHERE - named == set()


def test_each_file_that_the_page_names_exists() -> None:
    for name in re.findall(r"`([a-z_/]+\.py)`", PAGE):
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), name


@pytest.mark.parametrize(
    "path", re.findall(r"`(directlinks\.[\w.]+)`", section("Dotted paths that stay"))
)
def test_each_dotted_path_of_the_page_can_be_imported(path: str) -> None:
    module, _, name = path.rpartition(".")

    found: Any = getattr(import_module(module), name, None) or import_module(path)

    assert found is not None


def test_each_dotted_path_that_another_page_names_is_on_this_one() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text() for page in pages)
    public = re.findall(r"\bdirectlinks\.(?!E\d|W\d|I\d)[a-z_.]+\.[A-Z]\w+", text)

    assert set(public) - set(re.findall(r"directlinks\.[\w.]+", PAGE)) == set()


def test_the_figures_of_the_cut_can_be_printed() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "tests.journeys"],
        cwd=ROOT,
        # A database of its own: at its end it is destroyed.
        env={
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "DIRECTLINKS_SCRATCH")
        },
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    figures = dict(re.findall(r"^(\S.*?) +(\d+)$", printed, re.MULTILINE))
    assert list(figures) == [
        "modules", "median of lines", "largest", "imported by one module only",
        "create, modules", "reuse, modules", "visit, view, modules", "visit, lane, modules",
        "login, modules",
    ]  # fmt: skip
    assert "    directlinks.services.creating\n" in printed
