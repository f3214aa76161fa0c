"""A site that imports this checkout, wired as documented, for tests that need no more."""

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With the database that ``startproject`` writes, and the user ``ada``."""
    media = 'MEDIA_ROOT = BASE_DIR / "media"\n'
    folder: Path = tmp_path_factory.mktemp("site") / "project"
    site = new_site(folder, settings=DOCUMENTED_SETTINGS + media)
    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    return site


@pytest.fixture(scope="module")
def public_site() -> Iterator[Site]:
    """A site as in production, the files of which the user of a web server can read."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        production = (
            'DEBUG = False\nALLOWED_HOSTS = ["127.0.0.1"]\nMEDIA_ROOT = BASE_DIR / "media"\n'
        )
        site = new_site(Path(scratch, "project"), settings=DOCUMENTED_SETTINGS + production)
        site.manage("migrate", "-v", "0")
        site.add_user("ada")
        yield site


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Let a socket or file that a module leaves open fail that module, not a later one."""
    yield
    gc.collect()
