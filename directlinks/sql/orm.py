"""The same queries through the ORM: for any database, and to test the written statements.

Sites need them too if ``is_active`` of their users is more than a column.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import F, Prefetch

from directlinks.core import paths
from directlinks.core.links import LIMITS
from directlinks.models import DailyDownloads, DirectLink, File, FormerCode
from directlinks.sql.batches import BatchQueries, Found, FoundLink, NewLinks, Place, by_nfc
from directlinks.sql.links import LinkQueries, LinkRow
from directlinks.users import activity_is_computed, is_active


class ORMLinkQueries(LinkQueries):
    """``using`` is the alias of the database."""

    def __init__(self, using: str) -> None:
        self.links = DirectLink.objects.using(using)
        self.days = DailyDownloads.objects.using(using)
        self.users: Any = get_user_model()
        self.using = using

    def fetch(self, code: str, now: datetime) -> LinkRow | None:
        link = self.links.with_file().filter(code=code).first()
        if link is not None:
            return self._row(link, link.code)
        formerly = self.links.filter(former_codes__code=code)
        link = formerly.with_file().annotate(until=F("former_codes__until")).first()
        if link is None:
            return None
        is_over = link.until is None or link.until <= now
        ends = [end for end in (link.until, link.expires_at) if end is not None]
        row = self._row(link, code)
        return row._replace(revoked=row.revoked or is_over, expires_at=min(ends, default=None))

    def fetch_by_key(self, link_id: int) -> LinkRow | None:
        found = self.links.with_file().filter(pk=link_id).first()
        return None if found is None else self._row(found, found.code)

    def count(self, link_id: int, now: datetime, day: date) -> bool:
        with transaction.atomic(self.using):
            if not (
                self._owner_is_active(link_id) and self.links.filter(pk=link_id).count_download(now)
            ):
                return False
            self._count_day(link_id, day)
        return True

    def release(self, link_id: int, day: date) -> None:
        with transaction.atomic(self.using):
            self.links.filter(pk=link_id, downloads__gt=0).update(downloads=F("downloads") - 1)
            that_day = self.days.filter(link=link_id, day=day, downloads__gt=0)
            that_day.update(downloads=F("downloads") - 1)

    def _owner_is_active(self, link_id: int) -> bool:
        """Return False if only Python can tell that the owner of the link is not active."""
        if not activity_is_computed(self.users):
            return True  # counting asks the database
        owner = self.users._base_manager.using(self.using).filter(directlinks_files__links=link_id)
        return all(map(is_active, owner))

    def _count_day(self, link_id: int, day: date) -> None:
        that_day = self.days.filter(link=link_id, day=day)
        if that_day.update(downloads=F("downloads") + 1):
            return
        try:
            with transaction.atomic(self.using):
                self.days.create(link_id=link_id, day=day, downloads=1)
        except IntegrityError:  # another visit was the first of the day
            that_day.update(downloads=F("downloads") + 1)

    @staticmethod
    def _row(link: DirectLink, code: str) -> LinkRow:
        file = link.file
        return LinkRow(
            link_id=link.pk,
            code=code,
            current_code=link.code,
            name=link.name,
            revoked=link.revoked_at is not None,
            downloads=link.downloads,
            **{limit.name: getattr(link, limit.name) for limit in LIMITS},
            trashed=not file.is_live,
            owner_active=is_active(file.owner),
            content=str(file.content),
            storage_alias=file.storage_alias,
            content_type=file.content_type,
            version=file.version,
            modified_at=file.content_updated_at,
            size=file.size,
        )


class ORMBatchQueries(BatchQueries):
    """``using`` is the alias of the database."""

    def __init__(self, using: str) -> None:
        self.links = DirectLink.objects.using(using)
        self.files = File.objects.using(using)
        self.former = FormerCode.objects.using(using)

    def fetch(self, places: Collection[Place], owners: Mapping[Any, Any]) -> Found:
        reusable = Prefetch("links", self.links.reusable(), to_attr="reusable_links")
        at = {
            (file.owner_id, paths.nfc(file.path)): file
            for file in self.files.at(places).prefetch_related(reusable)
        }
        files = {}
        links = {}
        for place, given in by_nfc(places).items():
            if place not in at:
                continue
            file = at[place]
            files.update(dict.fromkeys(given, file))
            file.owner = owners[file.owner_id]
            for link in vars(file).pop("reusable_links"):
                if link.name == file.name:  # which it may have lost since
                    at_hand = FoundLink(link.id, link.code, link.name, file, self.links.db)
                    links[file.id] = at_hand
        return Found(files, links)

    def make(self, wanted: NewLinks) -> list[DirectLink]:
        """Make the links and return nothing: the ORM does not tell which rows were left out."""
        live = self.files.live().in_bulk([file.pk for file in wanted.files])
        used: set[str] = set()
        if wanted.code_may_be_used:
            former = self.former.filter(code__in=wanted.codes)
            used = set(former.values_list("code", flat=True))
        self.links.bulk_create(
            [
                DirectLink(
                    file=file, code=code, name=file.name, reuse_name=file.name, **wanted.shared
                )
                for file, code in zip(wanted.files, wanted.codes, strict=True)
                if file.pk in live and code not in used
            ],
            ignore_conflicts=True,
        )
        return []
