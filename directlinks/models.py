"""File, the index of what can be linked, and DirectLink, the permanent address of one."""

import logging
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.db import IntegrityError, models, router, transaction
from django.db.models import F, Q
from django.db.models.base import ModelBase
from django.utils import timezone
from django.utils.text import get_valid_filename
from django.utils.translation import gettext_lazy as _

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import codes, content_types, paths
from directlinks.core.states import LinkState, judge
from directlinks.fields import ContentField, ExactCharField
from directlinks.querysets import DirectLinkQuerySet, FileQuerySet
from directlinks.storage import content_storage


logger = logging.getLogger("directlinks")


def validate_path(path: str) -> None:
    """Raise ValidationError where ``path`` cannot be the path of a file."""
    if (fault := paths.fault(path)) is not None:
        raise ValidationError(fault, code="invalid_path")


def content_name(file: "File", filename: str) -> str:
    """The name in the storage: it tells neither the owner nor the folder of ``file``."""
    try:
        basename = get_valid_filename(file.name)
    except SuspiciousFileOperation:  # nothing is left of a name like "!!!"
        basename = "file"
    # Kept on the file, so that bytes whose row cannot be saved are found again.
    file.storing_as = f"directlinks/{secrets.token_hex(16)}/{basename}"
    return file.storing_as


def new_code() -> str:
    return codes.generate(conf.CODE_LENGTH, conf.CODE_ALPHABET)


class File(models.Model):
    """One file in the space of its owner.

    ``path`` is the whole path there, without a leading slash; a folder is what a path begins with
    and has no row. Assigning ``content`` and saving fills size, type and version. Deleting a row
    leaves the bytes where they are.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="directlinks_files",
        verbose_name=_("owner"),
    )
    path = ExactCharField(
        _("path"),
        max_length=paths.MAX_CHARACTERS,
        validators=[validate_path],
        help_text=_("The whole path in the owner's space, such as photos/2026/cat.jpg."),
    )
    # Look-ups and uniqueness go by a digest, because no index holds 1024 characters everywhere. It
    # is NULL in the trash, where a path may stand any number of times.
    path_key = ExactCharField(max_length=64, null=True, editable=False)
    path_head = ExactCharField(max_length=paths.HEAD_CHARACTERS, editable=False)
    content = ContentField(
        _("content"), max_length=500, storage=content_storage, upload_to=content_name
    )
    size = models.PositiveBigIntegerField(_("size"), default=0, editable=False)
    content_type = models.CharField(
        _("content type"),
        max_length=255,
        blank=True,
        help_text=_("Found by the file's extension where empty."),
    )
    # The strong ETag: random, because a time can repeat and a digest would have to read the bytes.
    version = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    content_updated_at = models.DateTimeField(_("content updated at"), editable=False)
    deleted_at = models.DateTimeField(_("in the trash since"), null=True, editable=False)

    # Set by the content's descriptor at each assignment, and put back once that is dealt with.
    content_is_new: bool = False
    # The name under which the storage holds, or is being given, the bytes of a new content.
    storing_as: str | None = None

    objects = FileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "path_key"], name="directlinks_file_path_unique"
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True, path_key__isnull=False)
                | Q(deleted_at__isnull=False, path_key__isnull=True),
                name="directlinks_file_live_has_key",
            ),
        ]
        indexes = [models.Index(fields=["owner", "path_head"], name="directlinks_file_folder")]

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return paths.name(str(self.path))

    @property
    def is_live(self) -> bool:
        return self.deleted_at is None

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        file = super().from_db(*args, **kwargs)
        file.content_is_new = False
        return file

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        fields = None if fields is None else list(fields)
        super().refresh_from_db(using, fields, from_queryset)
        if fields is None or "content" in fields:
            self.content_is_new = False

    def clean(self) -> None:
        if paths.fault(self.path) is None:
            self._derive_from_path()
            if self._path_is_taken():
                raise ValidationError({"path": self._path_taken()})

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save, with what follows from path and content filled in.

        Raises ValidationError where the path cannot be stored or is taken by another live file.
        Bytes that were written for a row that then could not be saved are removed again.
        """
        try:
            validate_path(self.path)
        except ValidationError as error:
            raise ValidationError({"path": error.messages}) from error
        self._derive_from_path()
        if self.content_is_new:
            self._describe_content()
        if update_fields is not None:
            update_fields = {*update_fields, *self._derived_from(set(update_fields))}
        using = using or router.db_for_write(File, instance=self)
        try:
            # A savepoint of its own, so that a refused row does not spoil the caller's transaction.
            with transaction.atomic(using=using):
                super().save(
                    force_insert=force_insert,
                    force_update=force_update,
                    using=using,
                    update_fields=update_fields,
                )
        except BaseException as error:
            self._discard_upload()
            if isinstance(error, IntegrityError) and self._path_is_taken():
                raise ValidationError({"path": self._path_taken()}) from error
            raise
        finally:
            self.storing_as = None
        self.content_is_new = False

    def trash(self) -> None:
        """Put the file into the trash: its links stop at once, and its path becomes free."""
        self.deleted_at = timezone.now()
        self.save(update_fields=["deleted_at"])

    def restore(self) -> None:
        """Take the file out of the trash, and its links work again.

        Raises ValidationError where another file has taken its path meanwhile.
        """
        trashed_at, self.deleted_at = self.deleted_at, None
        try:
            self.save(update_fields=["deleted_at"])
        except ValidationError:
            self.deleted_at = trashed_at
            raise

    def _discard_upload(self) -> None:
        """Remove bytes whose row could not be saved."""
        if self.storing_as is None:
            return
        try:
            self.content.storage.delete(self.storing_as)
        except Exception:  # noqa: BLE001  # whatever a storage raises: the caller's own error counts
            logger.exception("Bytes without a file are left in the storage: %s", self.storing_as)

    def _derive_from_path(self) -> None:
        self.path_key = paths.key(self.path) if self.is_live else None
        self.path_head = self.path[: paths.HEAD_CHARACTERS]

    def _describe_content(self) -> None:
        try:
            self.size = self.content.size if self.content else 0
        except FileNotFoundError as error:
            fault = ValidationError(_("The storage has no such content."), code="no_content")
            raise ValidationError({"content": fault}) from error
        self.content_type = self.content_type or content_types.guess(self.name)
        self.version = secrets.token_hex(16)
        self.content_updated_at = timezone.now()

    @staticmethod
    def _derived_from(fields: set[str]) -> set[str]:
        derived = {"updated_at"}
        if fields & {"path", "deleted_at"}:
            derived |= {"path_key", "path_head"}
        if "content" in fields:
            derived |= {"size", "content_type", "version", "content_updated_at"}
        return derived

    def _path_is_taken(self) -> bool:
        if not self.is_live or self.owner_id is None:
            return False
        same = File.objects.at([self.owner_id], [self.path])
        return same.exclude(pk=self.pk).exists()

    @staticmethod
    def _path_taken() -> ValidationError:
        return ValidationError(_("Another file is at this path."), code="path_taken")


# Columns of a link that a copy of it, read some time ago, must not put back.
_KEPT_WHILE_SAVING = {"downloads", "last_opened_at", "reuse_name"}


class DirectLink(models.Model):
    """A permanent address of one file: ``/f/<code>/<name>``.

    ``name`` is part of the address and stays as it was when the link was created. The limits are
    independent of each other, each None or False where there is none.
    """

    file = models.ForeignKey(
        File, on_delete=models.CASCADE, related_name="links", verbose_name=_("file")
    )
    code = ExactCharField(
        _("code"), max_length=codes.LONGEST, unique=True, default=new_code, editable=False
    )
    name = ExactCharField(_("name"), max_length=paths.MAX_NAME_BYTES, editable=False)
    # The name while the link may be given again to whoever asks for one, else NULL. A column of
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
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    max_downloads = models.PositiveIntegerField(_("most downloads"), null=True, blank=True)
    paused = models.BooleanField(_("paused"), default=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    objects = DirectLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("direct link")
        verbose_name_plural = _("direct links")
        constraints = [
            models.UniqueConstraint(
                fields=["file", "reuse_name"], name="directlinks_link_reuse_unique"
            ),
            models.CheckConstraint(
                condition=Q(reuse_name__isnull=True)
                | Q(
                    reuse_name=F("name"),
                    not_before__isnull=True,
                    expires_at__isnull=True,
                    max_downloads__isnull=True,
                    paused=False,
                    revoked_at__isnull=True,
                ),
                name="directlinks_link_reuse_unlimited",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        return addresses.link_path(str(self.code), str(self.name))

    @property
    def is_restricted(self) -> bool:
        """Whether the link has a limit, is paused or revoked: then nobody is given it again."""
        limits = (self.not_before, self.expires_at, self.max_downloads, self.revoked_at)
        return self.paused or any(limit is not None for limit in limits)

    def state(self, now: datetime) -> LinkState:
        """The state of the link, of its file and of the file's owner at ``now``."""
        return judge(
            now=now,
            revoked=self.revoked_at is not None,
            trashed=not self.file.is_live,
            # A user model without the field has no inactive users.
            owner_active=getattr(self.file.owner, "is_active", True),
            paused=self.paused,
            not_before=self.not_before,
            expires_at=self.expires_at,
            downloads=self.downloads,
            max_downloads=self.max_downloads,
        )

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save. A link that was restricted once is never given again, also when it is eased.

        What visitors count meanwhile is kept: ``downloads`` and ``last_opened_at`` of a row that
        exists are written only where ``update_fields`` names them.
        """
        self.name = self.name or self.file.name
        if update_fields is None and not self._state.adding:
            columns = {field.name for field in self._meta.concrete_fields if not field.primary_key}
            update_fields = columns - self.get_deferred_fields() - _KEPT_WHILE_SAVING
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
