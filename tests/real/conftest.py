"""A site that imports this checkout, wired as documented, for tests that need no more."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.faulty_proxy import Proxy
from tests.real.object_storage import OBJECT_SERVERS, ObjectServers, ObjectStorage
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site

MEDIA = 'MEDIA_ROOT = BASE_DIR / "media"\n'


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a documented site with the user ``ada``, to be copied by each site."""
    folder: Path = tmp_path_factory.mktemp("database") / "project"
    site = new_site(folder, settings=DOCUMENTED_SETTINGS + MEDIA)
    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    return folder / "db.sqlite3"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Site:
    """With the database that ``startproject`` writes, and the user ``ada``."""
    folder: Path = tmp_path_factory.mktemp("site") / "project"
    site = new_site(folder, settings=DOCUMENTED_SETTINGS + MEDIA)
    shutil.copy(database, folder)
    return site


@pytest.fixture(scope="module")
def public_site(database: Path) -> Iterator[Site]:
    """A site as in production, the files of which the user of a web server can read."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        production = 'DEBUG = False\nALLOWED_HOSTS = ["127.0.0.1"]\n'
        settings = DOCUMENTED_SETTINGS + MEDIA + production
        site = new_site(Path(scratch, "project"), settings=settings)
        shutil.copy(database, site.folder)
        yield site


@pytest.fixture(scope="session")
def object_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServers]:
    """Servers of objects that all modules share; other modules leave objects in them."""
    with ExitStack() as stack:
        yield ObjectServers(stack, tmp_path_factory.mktemp)


@pytest.fixture(scope="module", params=OBJECT_SERVERS)
def storage_and_proxy(
    request: pytest.FixtureRequest, object_servers: ObjectServers
) -> Iterator[tuple[ObjectStorage, Proxy]]:
    """Each storage behind a proxy that may be told to fail."""
    with object_servers[request.param].behind_proxy() as behind:
        yield behind


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Let a socket or file that a module leaves open fail that module, not a later one."""
    yield
    gc.collect()
