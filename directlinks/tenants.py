"""Sites with tenants: each has a schema of its own in the database, by django-tenants or the like.

Two tenants may have users, files and links of the same keys.
"""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage
from django.db import connections

from directlinks.conf import TENANT_APPS, conf
from directlinks.users import users


def current_tenant() -> str | None:
    """Return the schema that serves this request or command, None on a site without tenants."""
    if not conf.serves_tenants:
        return None
    connection: Any = connections[users().db]
    if hasattr(connection, "schema_name"):
        return str(connection.schema_name)
    if hasattr(connection, "schema"):  # of django-pgschemas
        return str(connection.schema.schema_name)
    raise ImproperlyConfigured("The users of a site with tenants must be in the tenants' database.")


def may_be_shared(storage: Storage) -> bool:
    """Return True if contents of other tenants may lie in ``storage``, between those of this one.

    Only storages of the apps for tenants are known to choose a folder for each, and they do not if
    the site has given them a ``location``.
    """
    tenant = current_tenant()
    if tenant is None:
        return False
    packages = {kind.__module__.partition(".")[0] for kind in type(storage).__mro__}
    return packages.isdisjoint(TENANT_APPS) or tenant not in Path(storage.path("x")).parts
