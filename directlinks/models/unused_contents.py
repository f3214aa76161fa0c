"""Contents that no file names, and that are to be deleted once nothing leads to them any more."""

from django.db import models

from directlinks.fields import ExactCharField
from directlinks.querysets import PrimaryManager, PrimaryQuerySet


class UnusedContent(models.Model):
    """A content that no file names any more, or that none names yet, and when it may be deleted.

    A copy is noted here before it is written, and a content in the transaction in which its file
    gets another one. So what a process leaves behind is known, whenever it is killed.
    """

    storage_alias = ExactCharField(max_length=100)
    name = ExactCharField(max_length=500)
    delete_after = models.DateTimeField(db_index=True)

    objects = PrimaryManager.from_queryset(PrimaryQuerySet)()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.storage_alias}: {self.name}"
