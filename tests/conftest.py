"""What every test stands on."""

from pathlib import Path

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.fixtures import Settings

# No property depends on how busy the machine is.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _own_media_root(tmp_path: Path, settings: Settings) -> None:
    """Each test stores its bytes in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _forgotten_throttles() -> None:
    """No test pays for the logins of another."""
    cache.clear()
