"""Reading from the database of the write, everywhere but where an answer may lag."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from pytest_django.fixtures import Settings

import directlinks
from directlinks.querysets import PrimaryManager
from directlinks.users import users
from tests.services.replicas import Replicas

MODELS = list(apps.get_app_config("directlinks").get_models())
PACKAGE = Path(directlinks.__file__).parent

# Everything else asks a queryset of ours, which knows the database; simplejwt and a site's
# registered fields have their own models.
MAY_ASK_THE_ROUTER = {
    "api/authentication.py",
    "caching.py",
    "models/files.py",
    "querysets.py",
    "registry.py",
    "users.py",
}


@pytest.fixture(autouse=True)
def _replicas(settings: Settings) -> None:
    settings.DATABASE_ROUTERS = [Replicas()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_is_read_where_it_is_written_unless_it_may_lag(model: Any) -> None:
    for manager in (model._default_manager, model._base_manager):
        assert isinstance(manager, PrimaryManager)
        assert manager.db == manager.all().db == "default"
        rows: Any = manager.filter(pk=1)
        assert rows.order_by("pk").values("pk").db == "default"
        assert rows.may_lag().order_by("pk").db == "replica"
        assert manager.using("replica").all().db == "replica"
        assert manager.db_manager("replica").db == "replica"


def test_users_are_read_from_the_default_database() -> None:
    assert users().db == "default"


@pytest.mark.parametrize(
    ("spelling", "allowed"),
    [
        (r"router\.|transaction\.atomic\(\)", MAY_ASK_THE_ROUTER),
        (r"get_user_model\(\)\._default_manager|get_user_model\(\)\.objects", {"users.py"}),
    ],
)
def test_no_module_chooses_a_database_by_itself(spelling: str, allowed: set[str]) -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(spelling, path.read_text())
    }
    assert found - allowed == set()
