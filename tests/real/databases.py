"""The database that DATABASE_URL names, for sites of processes of their own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site


@contextmanager
def own_database(site: Site) -> Iterator[Site]:
    """``site`` with tables in a database of its own, on the server of DATABASE_URL.

    The database is dropped at the end. Without a server it is the SQLite file of ``startproject``,
    for which dozens of visitors may have to wait longer than the usual five seconds.
    """
    url = os.environ.get("DATABASE_URL", "sqlite:")
    if url.startswith("sqlite:"):
        site.append("mysite/settings.py", "DATABASES['default']['OPTIONS'] = {'timeout': 60}\n")
        site.manage("migrate", "-v", "0")
        yield site
        return
    name = f"site_{secrets.token_hex(6)}"
    declared = (
        f"import dj_database_url\nDATABASES = {{'default': dj_database_url.parse({url!r})}}\n"
    )
    server = site.variant("server", declared)
    _tell(server, f"CREATE DATABASE {name}")
    try:
        site.append("mysite/settings.py", f"{declared}DATABASES['default']['NAME'] = {name!r}\n")
        site.manage("migrate", "-v", "0")
        yield site
    finally:
        _tell(server, f"DROP DATABASE {name}")


@contextmanager
def site_on_chosen_database(folder: Path, settings: str = "") -> Iterator[Site]:
    """A site in ``folder`` with such a database, ``settings`` and the user ``ada``."""
    with own_database(new_site(folder, settings=DOCUMENTED_SETTINGS)) as site:
        site.append("mysite/settings.py", settings)
        site.add_user("ada")
        yield site


def _tell(server: Site, statement: str) -> None:
    server.shell(
        "from django.db import connection",
        "with connection._nodb_cursor() as cursor:",
        f"    cursor.execute({statement!r})",
    )
