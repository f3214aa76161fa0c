"""What a batch asks, through the ORM: for any database, and the measure of the written ones."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch

from directlinks.sql.batches import Batches, Place, Wanted


class PlainBatches(Batches):
    """``model`` is the class DirectLink; ``using`` the alias of the database."""

    def __init__(self, model: Any, using: str) -> None:
        self.model = model
        self.links = model.objects.using(using)
        self.files = model._meta.get_field("file").related_model.objects.using(using)
        former = model._meta.get_field("former_codes").related_model
        self.former = former._default_manager.using(using)

    def find(self, places: Sequence[Place]) -> list[Any]:
        wanted = set(places)
        reusable = Prefetch("links", self.links.reusable(), to_attr="reusable_links")
        found = self.files.at(wanted).prefetch_related(reusable)
        return [file for file in found if (file.owner_id, file.path) in wanted]

    def make(self, wanted: Wanted) -> list[Any]:
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
