"""What is counted beside a link itself: its days, and the batches of counts that were flushed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from directlinks.models.links import DirectLink
from directlinks.querysets import FlushedBatchQuerySet, PrimaryManager, PrimaryQuerySet


class FlushedBatch(models.Model):
    """A batch of counts, collected outside the database, that was added to it.

    The row is written in the transaction that adds the counts. A process that finds the same batch
    again, after another one died half-way, then knows that nothing is left to add.
    """

    name = models.CharField(max_length=120, unique=True)
    flushed_at = models.DateTimeField()

    objects = PrimaryManager.from_queryset(FlushedBatchQuerySet)()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name


class DailyDownloads(models.Model):
    """How often a link was opened on one day of the site's time zone: no row, not at all."""

    link = models.ForeignKey(
        DirectLink,
        on_delete=models.CASCADE,
        db_index=False,  # the constraint begins with it
        related_name="days",
        verbose_name=_("direct link"),
    )
    day = models.DateField(_("day"))
    downloads = models.PositiveBigIntegerField(_("downloads"), default=0)

    objects = PrimaryManager.from_queryset(PrimaryQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("downloads of a day")
        verbose_name_plural = _("downloads by day")
        constraints = [
            models.UniqueConstraint(fields=["link", "day"], name="directlinks_day_unique")
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.downloads}"
