"""Rows that belong to links: downloads by day, flushed counts, idempotent requests."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from directlinks.fields import ExactCharField
from directlinks.models.links import DirectLink
from directlinks.querysets import (
    FlushedBatchQuerySet,
    IdempotentRequestQuerySet,
    PrimaryManager,
    PrimaryQuerySet,
)


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
    """Downloads of a link on one day of the site's time zone; no row means none."""

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


class IdempotentRequest(models.Model):
    """The answer to the request that ``user`` sent with this ``Idempotency-Key``.

    ``digest`` is an HMAC-SHA256 of what was asked, in hex: the same key with another request is a
    mistake of the client. ``answer`` is compressed by zlib.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_index=False,  # the constraint begins with it
        related_name="+",
        editable=False,
    )
    key = ExactCharField(max_length=255)
    digest = models.CharField(max_length=64)
    answer = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_index=True)

    objects = PrimaryManager.from_queryset(IdempotentRequestQuerySet)()

    class Meta:
        base_manager_name = "objects"  # relations and refresh_from_db() use it, too
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="directlinks_idempotency_unique")
        ]

    def __str__(self) -> str:
        return str(self.key)
