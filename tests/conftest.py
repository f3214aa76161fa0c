"""What every test stands on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.core.cache import cache
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.fixtures import Settings

import directlinks
from directlinks.services.following import unregister

# No property depends on how busy the machine is. Continuous integration asks once for the thorough
# profile, by pytest's own --hypothesis-profile=thorough.
for name, max_examples in {"quick": 20, "thorough": 100}.items():
    hypothesis_settings.register_profile(
        name,
        max_examples=max_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
hypothesis_settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _own_media_root(tmp_path: Path, settings: Settings) -> None:
    """Each test stores its bytes in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _forgotten_throttles() -> None:
    """No test pays for the logins of another."""
    cache.clear()


@pytest.fixture
def register() -> Iterator[Callable[..., None]]:
    """Register a field of a model until the test is over."""
    fields: list[tuple[Any, str]] = []

    def register(model: Any, field: str, **options: Any) -> None:
        directlinks.register(model, field, **options)
        fields.append((model, field))

    yield register
    for model, field in fields:
        unregister(model, field)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Begin keys where the site wants it: see ``settings_hostile``."""
    first: int | None = getattr(site, "FIRST_KEY", None)
    if first is not None:
        with django_db_blocker.unblock():
            _begin_keys_at(first)


def _begin_keys_at(key: int) -> None:
    tables = ["auth_user", "directlinks_file", "directlinks_directlink"]
    spelling = {
        "sqlite": "INSERT OR REPLACE INTO sqlite_sequence (name, seq) VALUES ('{0}', {1} - 1)",
        "postgresql": "ALTER TABLE {0} ALTER COLUMN id RESTART WITH {1}",
        "mysql": "ALTER TABLE {0} AUTO_INCREMENT = {1}",
    }[connection.vendor]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(spelling.format(table, key))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``settings_hostile`` lists."""
    left_out: dict[str, dict[str, str]] = getattr(site, "LEFT_OUT", {})
    for item in list(items):
        file, _, name = item.nodeid.partition("[")[0].partition("::")
        if name in left_out.get(file, {}):
            config.hook.pytest_deselected(items=[item])
            items.remove(item)
