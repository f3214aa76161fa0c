"""What all commands have in common, and that each is documented."""

import re
from pathlib import Path

import pytest
from django.core.management import load_command_class

from directlinks import management
from directlinks.core import records
from directlinks.services.diagnostics import Kind

COMMANDS = sorted(
    path.stem for path in Path(management.__file__).parent.glob("commands/directlinks_*.py")
)
PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
READING = {"directlinks_doctor", "directlinks_export"}


def section(command: str) -> str:
    return PAGE.split(f"\n## `{command}`\n")[1].split("\n## ")[0]


def options(command: str) -> set[str]:
    """The options of ``command`` alone."""
    parser = load_command_class("directlinks", command).create_parser("manage.py", command)
    return {
        name
        for action in parser._actions
        for name in action.option_strings
        if name.startswith("--")
    }


def test_each_command_has_a_heading_and_each_heading_a_command() -> None:
    assert sorted(re.findall(r"^## `(\w+)`$", PAGE, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_an_example_and_its_options_are_told(command: str) -> None:
    assert f"python manage.py {command}" in section(command)
    common = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback"}
    common |= {"--no-color", "--force-color", "--skip-checks", "--dry-run"}
    assert [name for name in options(command) - common if name not in section(command)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_each_that_changes_something_can_be_tried_dry(command: str) -> None:
    assert ("--dry-run" in options(command)) is (command not in READING)


@pytest.mark.parametrize("name", records.COLUMNS)
def test_each_column_is_documented(name: str) -> None:
    assert f"`{name}`" in section("directlinks_export")


@pytest.mark.parametrize("kind", Kind)
def test_each_finding_is_documented(kind: Kind) -> None:
    assert f"| `{kind.value}` |" in section("directlinks_doctor")
