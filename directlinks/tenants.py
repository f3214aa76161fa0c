"""Sites with tenants: each has a schema of its own in the database, by django-tenants or the like.

Two tenants may have users, files and links of the same keys.
"""

from typing import Any

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
    return str(connection.schema.schema_name)  # of django-pgschemas


def may_be_shared(storage: Storage) -> bool:
    """Return True if contents of other tenants may lie in ``storage``, between those of this one.

    Only storages of the apps for tenants are known to choose a place for each.
    """
    if not conf.serves_tenants:
        return False
    packages = {kind.__module__.partition(".")[0] for kind in type(storage).__mro__}
    return packages.isdisjoint(TENANT_APPS)
