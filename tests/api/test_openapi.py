"""The API with and without its schema."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# A site as documented, in a process that cannot import what describes the API.
WITHOUT = """
import sys
sys.modules["drf_spectacular"] = None
import django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "directlinks",
    ],
    ROOT_URLCONF="directlinks.api.urls",
    SECRET_KEY="a secret that is long enough for a test",
)
django.setup()
from django.test import Client
for method, path in [("PUT", "/file/source"), ("GET", "/file/source"), ("GET", "/file/info")]:
    print(Client().generic(method, path).status_code)
"""


def run(*arguments: str, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_it_works_where_no_schema_can_be_made() -> None:
    assert run("-c", WITHOUT, DJANGO_SETTINGS_MODULE="").split() == ["401"] * 3


def test_the_schema_of_the_example_project_is_valid_and_without_a_warning(tmp_path: Path) -> None:
    written = run(
        *("manage.py", "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json"),
        DJANGO_SETTINGS_MODULE="example_project.settings",
        DIRECTLINKS_VAR=str(tmp_path),
    )
    schema = json.loads(written)
    assert {name for path in schema["paths"].values() for name in path} == {
        "get",
        "put",
        "post",
        "patch",
        "delete",
    }
    assert not [path for path in schema["paths"] if path.endswith("/")]
    link = schema["components"]["schemas"]["Link"]
    assert set(link["properties"]) - set(link["required"]) == {"snippets"}
    assert "password" not in link["properties"]
    source = schema["paths"]["/api/v4/file/source"]["put"]
    statuses = {"200", "400", "401", "403", "409", "411", "413", "429", "503"}
    assert set(source["responses"]) == statuses
