"""IdempotentRequest, the answer to a request that a client may repeat without doing it twice."""

from django.conf import settings
from django.db import models

from directlinks.fields import ExactCharField
from directlinks.querysets import IdempotentRequestQuerySet, PrimaryManager


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
