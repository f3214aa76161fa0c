"""A site that imports this checkout, wired as documented, for tests that need no more."""

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
