"""The example project as a site: its settings, its routes and its two doors."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from pytest_django.fixtures import Settings

import example_project
from directlinks.conf import SETTINGS
from example_project import asgi, wsgi


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the site's data that does not exist yet."""
    var = tmp_path / "not" / "yet"
    monkeypatch.setenv("DIRECTLINKS_VAR", str(var))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("MEDIA_ROOT", raising=False)
    return var


def example_settings() -> dict[str, Any]:
    return runpy.run_path(str(Path(example_project.__file__ or "").with_name("settings.py")))


def test_every_setting_is_written_out_at_its_default(var: Path) -> None:
    defaults = {name: setting.default for name, setting in SETTINGS.items()}
    assert example_settings()["DIRECTLINKS"] == defaults
    assert list(example_settings()["DIRECTLINKS"]) == list(SETTINGS)


def test_data_lies_in_one_folder_which_is_made(var: Path) -> None:
    settings = example_settings()
    assert settings["DATABASES"]["default"]["NAME"] == str(var / "db.sqlite3")
    assert settings["MEDIA_ROOT"] == var / "media"
    assert var.is_dir()


def test_the_environment_may_name_another_database_and_folder(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@localhost/elsewhere")
    monkeypatch.setenv("MEDIA_ROOT", "/srv/files")
    settings = example_settings()
    assert settings["DATABASES"]["default"]["NAME"] == "elsewhere"
    assert settings["MEDIA_ROOT"] == "/srv/files"


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("admin:index", [], "/admin/"),
        ("directlinks:open", ["code", "a.txt"], "/f/code/a.txt"),
        ("directlinks-api:source", [], "/api/v4/file/source"),
    ],
)
def test_admin_visitors_and_api_have_their_routes(
    settings: Settings, name: str, arguments: list[str], path: str
) -> None:
    settings.ROOT_URLCONF = "example_project.urls"
    assert reverse(name, args=arguments) == path


def test_servers_of_both_kinds_find_an_application() -> None:
    assert isinstance(wsgi.application, WSGIHandler)
    assert isinstance(asgi.application, ASGIHandler)
