"""What is asked of the tables, named once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any

from django.db import connections, models
from django.db.models import Exists, F, OuterRef, Q

from directlinks import sql
from directlinks.core import paths
from directlinks.users import active_where

# More conditions in one statement would be deeper than SQLite accepts.
_MOST_OWNERS = 200


class FileQuerySet(models.QuerySet[Any]):
    def live(self) -> "FileQuerySet":
        """Files that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def trashed(self) -> "FileQuerySet":
        return self.filter(deleted_at__isnull=False)

    def trash(self, now: datetime) -> int:
        """Put the live ones into the trash; returns how many that were."""
        return self.live().update(deleted_at=now, path_key=None, updated_at=now)

    def at(self, places: Iterable[tuple[Any, str]]) -> "FileQuerySet":
        """Live files at ``places``, each an owner's key and a path without fault.

        Of very many owners, it may find more: files of one at a path that was asked of another.
        """
        keys: dict[Any, list[str]] = {}
        for owner, path in places:
            keys.setdefault(owner, []).append(paths.key(path))
        if len(keys) <= _MOST_OWNERS:
            one_by_one = (Q(owner=owner, path_key__in=those) for owner, those in keys.items())
            return self.filter(reduce(or_, one_by_one, Q(pk__in=[])))
        return self.filter(owner__in=keys, path_key__in=set(chain(*keys.values())))

    def folders_among(self, asked: Sequence[tuple[object, str]]) -> set[tuple[object, str]]:
        """Those of ``asked``, pairs of an owner's key and a path, that are folders."""
        connection = connections[self.db]
        places = sql.positions_of_folders(connection, self.model._meta, asked)
        return {asked[place] for place in places}


class DirectLinkQuerySet(models.QuerySet[Any]):
    def reusable(self) -> "DirectLinkQuerySet":
        """Links that a second request for the same file gets again."""
        return self.filter(reuse_name__isnull=False)

    def opening(self, now: datetime) -> "DirectLinkQuerySet":
        """Links that open at ``now``."""
        files: Any = self.model._meta.get_field("file").related_model
        users = files._meta.get_field("owner").related_model
        active = active_where(users, "owner")
        return self.filter(
            Exists(files.objects.live().filter(pk=OuterRef("file_id"), **active)),
            Q(not_before__isnull=True) | Q(not_before__lte=now),
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            Q(max_downloads__isnull=True) | Q(downloads__lt=F("max_downloads")),
            revoked_at__isnull=True,
            paused=False,
        )

    def count_download(self, now: datetime) -> int:
        """Count one download of each that opens, and say how many do: one statement decides."""
        return self.opening(now).update(downloads=F("downloads") + 1, last_opened_at=now)

    def revoke(self, now: datetime) -> int:
        """Revoke those that are not revoked yet; returns how many that were."""
        # In the order in which links are made, so that MariaDB has less to deadlock about.
        standing = self.filter(revoked_at__isnull=True).order_by("file_id")
        return standing.update(revoked_at=now, reuse_name=None)
