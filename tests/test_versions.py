"""The supported versions are stated once, in the classifiers of ``pyproject.toml``."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import noxfile

PROJECT = noxfile.PROJECT
README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_readme_marks_the_pairs_that_nox_runs() -> None:
    header, rows = re.findall(r"\| Python ((?:\| Django [\d.]+ )+)\|\n.*\n((?:\|.+\|\n)+)", README)[
        0
    ]
    djangos = re.findall(r"Django ([\d.]+)", header)
    marked = []
    for row in rows.splitlines():
        python, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        marked += [(python, django) for django, cell in zip(djangos, cells, strict=True) if cell]
    assert marked == noxfile.supported_pairs()


@pytest.mark.parametrize("name", ["PYTHONS", "DJANGOS"])
def test_each_classifier_belongs_to_a_pair_that_nox_runs(name: str) -> None:
    column = ["PYTHONS", "DJANGOS"].index(name)
    paired = {pair[column] for pair in noxfile.supported_pairs()}
    assert paired == set(getattr(noxfile, name))


def test_the_oldest_python_is_what_pip_ruff_and_mypy_are_told() -> None:
    oldest = noxfile.PYTHONS[0]
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest


def test_the_oldest_session_pins_each_dependency_to_its_lower_bound() -> None:
    project = PROJECT["project"]
    listed = [project["dependencies"], *project["optional-dependencies"].values()]
    bounds = {
        Requirement(text).name: str(Requirement(text).specifier).removeprefix(">=")
        for texts in listed
        for text in texts
    }
    assert noxfile.lowest_versions() == [f"{name}=={bound}" for name, bound in bounds.items()]
