"""A real second database that was copied from the first one and then stopped following it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.management import call_command
from django.db import connections, transaction
from django.test import override_settings

ALIAS = "replica"

# These rows are made by migrations, and no test changes them.
_SETTLED = (ContentType, Permission)


class PrimaryReplicaRouter:
    """The router of Django's documentation, for a site with one replica."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return ALIAS

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        return True


ROUTED = override_settings(DATABASE_ROUTERS=[f"{__name__}.PrimaryReplicaRouter"])


@contextmanager
def replica_database(file: Path) -> Iterator[None]:
    """An SQLite database in ``file`` with all tables, also if the first one is another engine's."""
    described = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    complete = connections.configure_settings({"default": {}, ALIAS: described})
    connections.databases[ALIAS] = complete[ALIAS]
    try:
        call_command("migrate", database=ALIAS, verbosity=0)
        with transaction.atomic(using=ALIAS):  # at its end, every row has what it refers to
            _copy(_SETTLED)
        yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]


def freeze() -> None:
    """Copy every row of the first database into the replica, which takes no other row later."""
    thaw()
    models = [model for model in apps.get_models() if model._meta.managed]
    _copy([model for model in models if model not in _SETTLED and not model._meta.proxy])
    _tell("PRAGMA query_only = 1")


def thaw() -> None:
    _tell("PRAGMA query_only = 0")


def _copy(models: Collection[Any]) -> None:
    for model in models:
        _tell(f'DELETE FROM "{model._meta.db_table}"')  # a name of Django's
    for model in models:
        rows = model._base_manager.using("default").order_by("pk")
        for row in serializers.deserialize("python", serializers.serialize("python", rows)):
            row.save(using=ALIAS)


def _tell(statement: str) -> None:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(statement)
