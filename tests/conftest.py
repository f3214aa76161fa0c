"""What every test stands on."""

from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _own_media_root(tmp_path: Path, settings: Settings) -> None:
    """Each test stores its bytes in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _forgotten_throttles() -> None:
    """No test pays for the logins of another."""
    cache.clear()
