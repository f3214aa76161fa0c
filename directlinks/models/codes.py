"""FormerCode, a code that a link had before it was given another."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from directlinks.core import codes
from directlinks.fields import ExactCharField
from directlinks.models.links import DirectLink
from directlinks.querysets import PrimaryManager, PrimaryQuerySet


class FormerCode(models.Model):
    """A code that was taken from its link. It opens the link before ``until``, and is never
    given to another one."""

    code = ExactCharField(_("code"), max_length=codes.LONGEST, unique=True)
    link = models.ForeignKey(
        DirectLink,
        on_delete=models.CASCADE,
        related_name="former_codes",
        verbose_name=_("direct link"),
    )
    until = models.DateTimeField(_("opens until"), null=True)

    objects = PrimaryManager.from_queryset(PrimaryQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("former code")
        verbose_name_plural = _("former codes")

    def __str__(self) -> str:
        return codes.shortened(str(self.code))
