"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from directlinks import checks, conf
from directlinks.core.errors import ErrorCode
from directlinks.delivery import url_checks
from directlinks.delivery.backends import storage_url, web_server

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
README = (ROOT / "README.md").read_text()


def test_each_setting_has_a_heading_and_each_heading_a_setting() -> None:
    headings = re.findall(r"^## `(\w+)`$", SETTINGS, re.MULTILINE)
    assert headings == list(conf.SETTINGS)


@pytest.mark.parametrize("name", conf.SETTINGS)
def test_a_setting_names_its_default_and_its_check(name: str) -> None:
    section = SETTINGS.split(f"## `{name}`")[1].split("\n## ")[0]
    assert "Default: " in section
    assert f"`{conf.SETTINGS[name].check}`" in section


def test_each_check_is_documented() -> None:
    modules = (checks, conf, checks, web_server, storage_url, checks, url_checks)
    source = "".join(Path(module.__file__ or "").read_text() for module in modules)
    ids = set(re.findall(r"directlinks\.[EIW]\d{3}", source))
    models = (ROOT / "docs" / "models.md").read_text()
    assert ids == set(re.findall(r"directlinks\.[EIW]\d{3}", SETTINGS + models))


def test_each_code_in_the_readme_exists() -> None:
    table = README.split("| code | HTTP | meaning |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| ([\d, ]+|per URI) \|", table, re.MULTILINE)
    assert rows
    for codes, statuses in rows:
        real = [str(ErrorCode(int(code)).http_status) for code in codes.split(", ")]
        assert statuses == "per URI" or set(statuses.split(", ")) == set(real)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))], ids=lambda page: page.name
)
def test_links_within_the_documentation_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^):]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.is_file()
        assert not anchor or anchor in anchors_of(other)


def anchors_of(page: Path) -> set[str]:
    """What the headings of ``page`` are called in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}
