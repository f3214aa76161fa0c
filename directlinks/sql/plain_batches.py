"""What a batch asks, through the ORM: for any database, and the measure of the written ones."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Prefetch

from directlinks.core import paths
from directlinks.sql.batches import Batches, Found, LinkAtHand, NewLinks, Place, by_nfc


class PlainBatches(Batches):
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
        """Nothing is returned: the ORM does not tell which rows were left out."""
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
