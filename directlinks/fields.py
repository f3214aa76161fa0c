"""A column whose text is compared byte by byte on every database."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

_COLLATIONS = {"mysql": "utf8mb4_bin", "postgresql": "C", "sqlite": "BINARY"}
# MariaDB's utf8mb4_bin pads: it takes "a" and "a " for the same text.
_MARIADB_COLLATION = "utf8mb4_nopad_bin"


class ExactCharField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """A CharField in binary collation: ``A`` is not ``a``, and no locale reorders it.

    The collation is chosen when a column is made, so one migration fits every database.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if getattr(connection, "mysql_is_mariadb", False):
            parameters["collation"] = _MARIADB_COLLATION
        else:
            parameters["collation"] = _COLLATIONS.get(connection.vendor)
        return parameters
