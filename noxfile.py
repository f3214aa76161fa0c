"""Run the tests on every supported pair of Python and Django, in environments of their own.

``nox`` runs them all, ``nox --list`` names them, and ``nox --tags oldest newest`` runs the oldest
and the newest versions. The versions are those of the classifiers in ``pyproject.toml``. Arguments
after ``--`` go to pytest. ``DATABASE_URL`` chooses the database, and ``COVERAGE=1`` measures which
lines the tests run.
"""

import os
import re
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
DJANGOS = [
    name.removeprefix("Framework :: Django :: ")
    for name in PROJECT["project"]["classifiers"]
    if name.startswith("Framework :: Django :: ")
]
# https://docs.djangoproject.com/en/stable/faq/install/#what-python-version-can-i-use-with-django
FIRST_PYTHON = {"6": (3, 12)}  # of a major version of Django, if it is not the first of PYTHONS

nox.options.sessions = ["oldest", "tests"]
nox.options.default_venv_backend = "virtualenv"


def supported_pairs() -> list[tuple[str, str]]:
    """Return each Python with each Django that runs on it, from the oldest pair to the newest."""
    return [
        (python, django)
        for python in PYTHONS
        for django in DJANGOS
        if tuple(map(int, python.split("."))) >= FIRST_PYTHON.get(django.split(".")[0], (3,))
    ]


def lowest_versions() -> list[str]:
    """Return the lower bounds of all dependencies, extras included, as requirements of pip."""
    project = PROJECT["project"]
    listed = [project["dependencies"], *project["optional-dependencies"].values()]
    return [
        re.sub(r"\[.*\]", "", requirement).replace(">=", "==")
        for requirements in listed
        for requirement in requirements
    ]


@nox.session(python=PYTHONS[0], tags=["oldest"])
def oldest(session: nox.Session) -> None:
    """Run the tests on the oldest Python with the lowest version of each dependency."""
    _run_tests(session, lowest_versions())


@nox.session
@nox.parametrize(
    ("python", "django"),
    [
        nox.param(*pair, tags=["newest"] if pair == supported_pairs()[-1] else [])
        for pair in supported_pairs()
    ],
)
def tests(session: nox.Session, django: str) -> None:
    """Run the tests with the newest versions that pip finds for this Django."""
    _run_tests(session, [f"Django=={django}.*"])


def _run_tests(session: nox.Session, constraints: list[str]) -> None:
    """Run the tests that start no servers, on the versions that ``constraints`` allow."""
    constraint_file = Path(session.create_tmp()) / "constraints.txt"
    constraint_file.write_text("\n".join(constraints))
    groups = ["fast", *(["databases"] if "DATABASE_URL" in os.environ else [])]
    session.install(
        *(f"--group={group}" for group in groups),
        f"--constraint={constraint_file}",
        "--editable=.",
    )
    session.run("python", "-m", "django", "--version")
    session.run("python", "manage.py", "makemigrations", "--check", "--dry-run")
    session.run(
        *(("coverage", "run") if os.environ.get("COVERAGE") else ("python",)),
        *("-m", "pytest", "-n", "auto"),
        *("--ignore", "tests/real", "--ignore", "tests/benchmarks"),
        *session.posargs,
    )
