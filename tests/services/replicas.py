"""A site with a replica that lags so far behind that it is not there."""

from typing import Any


class Replicas:
    """A router of a site that reads from another database than it writes to."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica" if model._meta.app_label == "directlinks" else "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"
