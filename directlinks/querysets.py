"""What is asked of the tables, named once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models
from django.db.models import F, Q

from directlinks import sql
from directlinks.core import paths


class FileQuerySet(models.QuerySet[Any]):
    def live(self) -> "FileQuerySet":
        """Files that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def trashed(self) -> "FileQuerySet":
        return self.filter(deleted_at__isnull=False)

    def trash(self, now: datetime) -> int:
        """Put the live ones into the trash; returns how many that were."""
        return self.live().update(deleted_at=now, path_key=None, updated_at=now)

    def at(self, owners: Iterable[object], places: Iterable[str]) -> "FileQuerySet":
        """Live files of any of ``owners`` (keys) at any of ``places`` (paths without fault).

        Every owner is combined with every place: match the pairs that were meant.
        """
        return self.filter(owner__in=owners, path_key__in=[paths.key(place) for place in places])

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
        """Links whose own columns let them open at ``now``; file and owner are not asked."""
        return self.filter(
            Q(not_before__isnull=True) | Q(not_before__lte=now),
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            Q(max_downloads__isnull=True) | Q(downloads__lt=F("max_downloads")),
            revoked_at__isnull=True,
            paused=False,
        )

    def count_download(self, key: int, now: datetime) -> bool:
        """Count one download of the link ``key``, if it still opens. One statement decides both."""
        return bool(
            self.filter(pk=key)
            .opening(now)
            .update(downloads=F("downloads") + 1, last_opened_at=now)
        )

    def revoke(self, now: datetime) -> int:
        """Revoke those that are not revoked yet; returns how many that were."""
        return self.filter(revoked_at__isnull=True).update(revoked_at=now, reuse_name=None)
