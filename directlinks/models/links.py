"""DirectLink, the permanent address of one file."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.base import ModelBase
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import codes, paths, referers
from directlinks.core.links import UNLIMITED, LinkState, state_of
from directlinks.fields import (
    ExactCharField,
    ReadableDateTimeField,
    UnicodeCharField,
    UnicodeTextField,
    validate_datetime,
)
from directlinks.models.files import File
from directlinks.querysets import DirectLinkQuerySet, PrimaryManager, PrimaryQuerySet
from directlinks.users import is_active

# What others change while a link is at hand, and saving it must not take back.
_NOT_SAVED = {"code", "downloads", "last_opened_at"}

# UNLIMITED as a condition.
_UNLIMITED = {
    **{f"{name}__isnull": True for name, value in UNLIMITED.items() if value is None},
    **{name: value for name, value in UNLIMITED.items() if value is not None},
}


def new_code() -> str:
    """Return a random code, of the length and alphabet in the settings."""
    return new_codes(1)[0]


def new_codes(number: int) -> list[str]:
    """Return ``number`` such codes."""
    return codes.generate(number, conf.CODE_LENGTH, conf.CODE_ALPHABET)


def validate_hosts(text: str) -> None:
    """Raise ValidationError if a line of ``text`` is no host."""
    if (line := referers.fault(text)) is not None:
        raise ValidationError(
            _("Not a valid host name: %(line)s"), params={"line": line}, code="no_host"
        )


class DirectLink(models.Model):
    """A permanent address of one file: ``/f/<code>/<name>``.

    ``name`` is part of the address and stays as it was when the link was created. The limits are
    independent of each other, each None or False if there is none.
    """

    file = models.ForeignKey(
        File,
        on_delete=models.CASCADE,
        db_index=False,  # the constraint on the name that may be reused begins with it
        related_name="links",
        verbose_name=_("file"),
    )
    # Unique by a constraint: of unique=True PostgreSQL gets a second index, for patterns.
    code = ExactCharField(_("code"), max_length=codes.LONGEST, default=new_code, editable=False)
    name = ExactCharField(_("name"), max_length=paths.MAX_NAME_BYTES, editable=False)
    # The name while the link is reusable, else NULL. A column of
    # its own, because MariaDB has no unique index with a condition.
    reuse_name = ExactCharField(max_length=paths.MAX_NAME_BYTES, null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    downloads = models.PositiveBigIntegerField(_("downloads"), default=0, editable=False)
    last_opened_at = models.DateTimeField(_("last opened at"), null=True, editable=False)
    not_before = ReadableDateTimeField(
        _("not before"), null=True, blank=True, help_text=_("Leave empty to open at once.")
    )
    expires_at = ReadableDateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("Leave empty for no expiry.")
    )
    max_downloads = models.PositiveIntegerField(
        _("download limit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Total, including downloads so far. Leave empty for no limit."),
    )
    paused = models.BooleanField(
        _("paused"),
        default=False,
        help_text=_("A paused link does not open until it is resumed."),
    )
    password = models.CharField(
        _("password"),
        max_length=128,
        blank=True,
        editable=False,
        help_text=_("A hash by Django's password hashers. Empty for no password."),
    )
    referers = UnicodeTextField(
        _("referring sites"),
        blank=True,
        validators=[MaxLengthValidator(referers.MAX_CHARACTERS), validate_hosts],
        help_text=_(
            "Hosts whose pages may link to the file, one per line, including their subdomains. "
            "This saves bandwidth but is no access control: visitors can hide where they come "
            "from. Leave empty for any site."
        ),
    )
    ask_first = models.BooleanField(
        _("ask first"),
        default=False,
        help_text=_(
            "Visitors see a page with a button. Only pressing it counts as a download and leads "
            "to the file, so link previews cannot use up the link."
        ),
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    label = UnicodeCharField(
        _("label"),
        max_length=255,
        blank=True,
        help_text=_("Shown only to users who manage the link."),
    )
    note = UnicodeTextField(_("note"), blank=True)

    objects = PrimaryManager.from_queryset(DirectLinkQuerySet)()

    class Meta:
        base_manager_name = "objects"  # relations and refresh_from_db() use it, too
        verbose_name = _("direct link")
        verbose_name_plural = _("direct links")
        constraints = [
            models.UniqueConstraint(fields=["code"], name="directlinks_link_code_unique"),
            models.UniqueConstraint(
                fields=["file", "reuse_name"], name="directlinks_link_reuse_unique"
            ),
            models.CheckConstraint(
                condition=Q(reuse_name__isnull=True) | Q(reuse_name=F("name"), **_UNLIMITED),
                name="directlinks_link_reuse_unlimited",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return addresses.link_path(str(self.code), str(self.name))

    def url(self, request: HttpRequest | None = None) -> str:
        """Return the absolute address, behind ``BASE_URL`` or the host of ``request``.

        Without a request it is a path if the site has no ``BASE_URL`` of one value. Raise
        DisallowedHost if the host is needed and is not in ALLOWED_HOSTS.
        """
        path = self.get_absolute_url()
        return (
            addresses.site_address(path) if request is None else addresses.absolute(path, request)
        )

    def clean(self) -> None:
        starts, ends = self.not_before, self.expires_at
        if starts is not None and ends is not None and ends <= starts:
            raise ValidationError({"expires_at": _("The link would expire before it opens.")})

    @property
    def is_restricted(self) -> bool:
        """True if the link has a limit, is paused or revoked: then it is not reused."""
        return any(getattr(self, name) != value for name, value in UNLIMITED.items())

    def state(self, now: datetime) -> LinkState:
        """Return the state of the link, its file and the file's owner at ``now``."""
        return state_of(
            self,
            now=now,
            revoked=self.revoked_at is not None,
            trashed=not self.file.is_live,
            owner_active=is_active(self.file.owner),
        )

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save. A link that was restricted once is never reused, even if its limits are removed.

        What visitors count meanwhile is kept: ``downloads`` and ``last_opened_at`` of an existing
        row are written only if ``update_fields`` names them, and so is ``code``, because a copy
        from before it was rotated must not bring it back. A revocation stays, too. Raise
        ValidationError for datetimes that no database could give back.
        """
        self.name = self.name or self.file.name
        for moment in (self.not_before, self.expires_at):
            if moment is not None:
                validate_datetime(moment)
        if update_fields is None and not self._state.adding:
            columns = {f.attname for f in self._meta.concrete_fields if not f.primary_key}
            update_fields = columns - self.get_deferred_fields() - _NOT_SAVED
            # Both are for good, so a copy that does not know of them must not take them back.
            if self.revoked_at is None:
                update_fields.discard("revoked_at")
            if self.reuse_name is not None:
                update_fields.discard("reuse_name")
        if self.is_restricted:
            self.reuse_name = None
            if update_fields is not None:
                update_fields = {*update_fields, "reuse_name"}
        super().save(
            force_insert=force_insert,
            force_update=force_update,
            using=using,
            update_fields=update_fields,
        )


class FormerCode(models.Model):
    """A former code of a link: it opens the link before ``until``, and is never reissued."""

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


@receiver(pre_delete, sender=DirectLink, dispatch_uid="directlinks.models.links")
def lock_links(instance: DirectLink, using: str, origin: Any = None, **kwargs: Any) -> None:
    """Lock all links that go with ``origin``, what is deleted, at the first of them.

    Django says so in the transaction in which it deletes, and before it has deleted anything.
    """
    # Of a deletion that is tried again, only the first try has it in order.
    known = vars(origin if origin is not None else instance)
    if not known.get("_links_are_locked"):
        known["_links_are_locked"] = True
        DirectLink.objects.using(using).filter(**_condition(origin, instance)).lock()


def _condition(origin: Any, instance: DirectLink) -> dict[str, Any]:
    """Return which links go with ``origin``: a row or a queryset, of links, files or users."""
    is_many = isinstance(origin, QuerySet)
    model = origin.model if is_many else type(origin)
    rows = origin.order_by().values("pk") if is_many else [origin.pk] if origin is not None else []
    for kind, relation in (
        (DirectLink, "pk"),
        (File, "file"),
        (get_user_model(), "file__owner"),
    ):
        if issubclass(model, kind):
            return {f"{relation}__in": rows}
    return {"pk": instance.pk}
