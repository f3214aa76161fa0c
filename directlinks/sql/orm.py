"""The same queries through the ORM: for any database, and to test the written statements.

Sites need them too if ``is_active`` of their users is more than a column.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Prefetch

from directlinks.core import paths
from directlinks.sql.batches import Batches, Found, LinkAtHand, NewLinks, Place, by_nfc
from directlinks.sql.links import LinkRow, Links
from directlinks.users import activity_is_computed, is_active


class ORMLinks(Links):
    """``model`` is the class DirectLink; ``using`` the alias of the database."""

    def __init__(self, model: Any, using: str) -> None:
        self.links = model.objects.using(using)
        self.days = model._meta.get_field("days").related_model._default_manager.using(using)
        file = model._meta.get_field("file").related_model
        self.users: Any = file._meta.get_field("owner").related_model
        self.using = using

    def find(self, code: str, now: datetime) -> LinkRow | None:
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

    def find_by_key(self, link: int) -> LinkRow | None:
        found = self.links.with_file().filter(pk=link).first()
        return None if found is None else self._row(found, found.code)

    def count(self, link: int, now: datetime, day: date) -> bool:
        with transaction.atomic(self.using):
            if not (self._owner_is_active(link) and self.links.filter(pk=link).count_download(now)):
                return False
            self._count_day(link, day)
        return True

    def give_back(self, link: int, day: date) -> None:
        with transaction.atomic(self.using):
            self.links.filter(pk=link, downloads__gt=0).update(downloads=F("downloads") - 1)
            that_day = self.days.filter(link=link, day=day, downloads__gt=0)
            that_day.update(downloads=F("downloads") - 1)

    def _owner_is_active(self, link: int) -> bool:
        """Return False if only Python can tell that the owner of ``link`` is not active."""
        if not activity_is_computed(self.users):
            return True  # counting asks the database
        owner = self.users._base_manager.using(self.using).filter(directlinks_files__links=link)
        return all(map(is_active, owner))

    def _count_day(self, link: int, day: date) -> None:
        that_day = self.days.filter(link=link, day=day)
        if that_day.update(downloads=F("downloads") + 1):
            return
        try:
            with transaction.atomic(self.using):
                self.days.create(link_id=link, day=day, downloads=1)
        except IntegrityError:  # another visit was the first of the day
            that_day.update(downloads=F("downloads") + 1)

    @staticmethod
    def _row(link: Any, code: str) -> LinkRow:
        file = link.file
        return LinkRow(
            link=link.pk,
            code=code,
            current_code=link.code,
            name=link.name,
            revoked=link.revoked_at is not None,
            paused=link.paused,
            not_before=link.not_before,
            expires_at=link.expires_at,
            downloads=link.downloads,
            max_downloads=link.max_downloads,
            password=link.password,
            referers=link.referers,
            ask_first=link.ask_first,
            trashed=not file.is_live,
            owner_active=is_active(file.owner),
            content=str(file.content),
            storage_alias=file.storage_alias,
            content_type=file.content_type,
            version=file.version,
            modified_at=file.content_updated_at,
            size=file.size,
        )


class ORMBatches(Batches):
    """``model`` is the class DirectLink; ``using`` the alias of the database."""

    def __init__(self, model: Any, using: str) -> None:
        self.model = model
        self.links = model.objects.using(using)
        self.files = model._meta.get_field("file").related_model.objects.using(using)
        former = model._meta.get_field("former_codes").related_model
        self.former = former._default_manager.using(using)

    def find(self, places: Collection[Place], owners: Mapping[Any, Any]) -> Found:
        reusable = Prefetch("links", self.links.reusable(), to_attr="reusable_links")
        at = {
            (file.owner_id, paths.nfc(file.path)): file
            for file in self.files.at(places).prefetch_related(reusable)
        }
        files = {}
        links = {}
        for place, asked in by_nfc(places).items():
            if place not in at:
                continue
            file = at[place]
            files.update(dict.fromkeys(asked, file))
            file.owner = owners[file.owner_id]
            for link in vars(file).pop("reusable_links"):
                if link.name == file.name:  # which it may have lost since
                    at_hand = LinkAtHand(link.id, link.code, link.name, file, self.links.db)
                    links[file.id] = at_hand
        return Found(files, links)

    def make(self, wanted: NewLinks) -> list[Any]:
        """Make the links and return nothing: the ORM does not tell which rows were left out."""
        live = self.files.live().in_bulk([file.pk for file in wanted.files])
        used: set[str] = set()
        if wanted.code_may_be_used:
            former = self.former.filter(code__in=wanted.codes)
            used = set(former.values_list("code", flat=True))
        self.links.bulk_create(
            [
                self.model(
                    file=file, code=code, name=file.name, reuse_name=file.name, **wanted.shared
                )
                for file, code in zip(wanted.files, wanted.codes, strict=True)
                if file.pk in live and code not in used
            ],
            ignore_conflicts=True,
        )
        return []
