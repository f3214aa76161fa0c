"""File, the index of what can be linked."""

import logging
import secrets
from collections.abc import Callable, Collection, Iterable
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.db import IntegrityError, models, router, transaction
from django.db.models import Q
from django.db.models.base import ModelBase
from django.db.models.signals import class_prepared
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directlinks.conf import conf
from directlinks.core import content_types, paths
from directlinks.core.errors import ContentNotFound
from directlinks.core.uris import SITE
from directlinks.fields import ContentField, ExactCharField
from directlinks.models.contents import (
    beginning,
    content_name,
    is_stored,
    validate_content_type,
    validate_path,
)
from directlinks.querysets import FileQuerySet, PrimaryManager
from directlinks.storage import content_alias, content_storage, is_forbidden
from directlinks.storage_errors import storage_error

logger = logging.getLogger("directlinks")


def delete_own_files(collector: Any, field: Any, files: FileQuerySet, using: str) -> None:
    """Delete the uploaded files of an owner, and leave files of other models without one."""
    models.CASCADE(collector, field, files.filter(source_key=None), using)
    models.SET_NULL(collector, field, files.filter(source_key__isnull=False), using)


class File(models.Model):
    """One file in the space of its owner, or in the site's own if it has none.

    ``path`` is the whole path there, without a leading slash; a folder is what a path begins with
    and has no row. Two paths that are equal under NFC are one. Assigning ``content`` and saving
    fills size, type and version. Deleting a row leaves the bytes where they are.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=delete_own_files,
        null=True,
        blank=True,
        db_index=False,  # two others begin with it
        related_name="directlinks_files",
        verbose_name=_("owner"),
        help_text=_("Leave empty for a file of the site, which administrators manage."),
    )
    path = ExactCharField(
        _("path"),
        max_length=paths.MAX_CHARACTERS,
        validators=[validate_path],
        help_text=_("The whole path in the owner's space, such as photos/2026/cat.jpg."),
    )
    # Look-ups and uniqueness go by a digest of the path under NFC, because no index holds 1024
    # characters everywhere. It is NULL in the trash, where a path may stand any number of times.
    path_key = ExactCharField(max_length=64, null=True, editable=False)
    # The same of a file without an owner: to the index over the owner, no NULL is like another.
    site_path_key = ExactCharField(max_length=64, null=True, editable=False, unique=True)
    path_head = ExactCharField(max_length=paths.HEAD_CHARACTERS, editable=False)
    # The path under NFC if it is stored in another spelling.
    path_nfc = ExactCharField(
        max_length=paths.MAX_CHARACTERS * paths.MAX_EXPANSION, null=True, editable=False
    )
    content = ContentField(
        _("content"), max_length=500, storage=content_storage, upload_to=content_name
    )
    # Behind the content in the order of columns: assigning a content says where new ones go.
    # The storage of a registered field is called by the field's label.
    storage_alias = ExactCharField(
        _("storage"), max_length=200, default=content_alias, editable=False
    )
    # Of a file in a registered field: the primary key of the object that has it.
    source_key = ExactCharField(max_length=255, null=True, editable=False)
    size = models.PositiveBigIntegerField(_("size"), default=0, editable=False)
    content_type = models.CharField(
        _("content type"),
        max_length=255,
        blank=True,
        validators=[validate_content_type],
        help_text=_("Leave empty to use the file's extension."),
    )
    # The strong ETag: random, because a time can repeat and a digest would have to read the bytes.
    version = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    content_updated_at = models.DateTimeField(_("content updated at"), editable=False)
    deleted_at = models.DateTimeField(
        _("in the trash since"), null=True, editable=False, db_index=True
    )

    # Set by the content's descriptor at each assignment, and put back once that is dealt with.
    content_is_new: bool = False
    # The path that the row has: with it, a type that was guessed is told from one that was given.
    stored_path: str | None = None
    # The name under which the storage holds, or is being given, the bytes of a new content.
    storing_as: str | None = None

    objects = PrimaryManager.from_queryset(FileQuerySet)()

    class Meta:
        base_manager_name = "objects"  # relations and refresh_from_db() use it, too
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "path_key"], name="directlinks_file_path_unique"
            ),
            models.UniqueConstraint(
                fields=["storage_alias", "source_key"], name="directlinks_file_source_unique"
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
    def owner_name(self) -> str:
        """The name of the owner as commands take and print it: SITE if there is none."""
        return SITE if self.owner is None else str(self.owner.get_username())

    @property
    def is_live(self) -> bool:
        return self.deleted_at is None

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any
    ) -> Self:
        file = super().from_db(db, field_names, values, **kwargs)
        file.content_is_new = False
        if "storage_alias" not in field_names:
            vars(file).pop("storage_alias", None)  # deferred, and not where new contents go
        file.stored_path = file.__dict__.get("path")
        return file

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        fields = None if fields is None else list(fields)
        if fields is not None and "content" in fields:
            fields.append("storage_alias")
        super().refresh_from_db(using, fields, from_queryset)
        if fields is None or "content" in fields:
            self.content_is_new = False

    def clean(self) -> None:
        """Derive columns from the path. Raise ValidationError if another live file has it."""
        if paths.fault(self.path) is None:
            self.derive_from_path()
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
        """Save, with the columns that follow from path and content.

        Raise ValidationError if the path cannot be stored or another live file has it, or if the
        content type could not be sent. If the row cannot be saved, an uploaded content is removed
        again.
        """
        if update_fields is not None and not (update_fields := set(update_fields)):
            return
        self._validate_field("path", validate_path)
        if self.content_type:
            self._validate_field("content_type", validate_content_type)
        self.derive_from_path()
        if self.content_is_new:
            self.describe_content()
        self._describe_type()
        if update_fields is not None:
            update_fields = update_fields | self._derived_from(update_fields)
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
        self.stored_path = self.path

    def trash(self) -> None:
        """Move the file to the trash: its links stop at once, and its path becomes free."""
        File.objects.filter(pk=self.pk).trash(timezone.now())
        derived = ["path_key", "site_path_key", "path_head", "path_nfc"]
        self.refresh_from_db(fields=["path", *derived, "deleted_at", "updated_at"])

    def restore(self) -> None:
        """Take the file out of the trash; its links work again.

        Raise ValidationError if another file has its path now.
        """
        self.refresh_from_db(fields=["path", "deleted_at"])
        trashed_at, self.deleted_at = self.deleted_at, None
        try:
            self.save(update_fields=["path", "deleted_at"])
        except BaseException:
            self.deleted_at = trashed_at
            raise

    def _validate_field(self, field: str, validate: Callable[[str], None]) -> None:
        """Run ``validate`` on ``field``, and raise its error under the field's name."""
        try:
            validate(getattr(self, field))
        except ValidationError as error:
            raise ValidationError({field: error}) from error

    def _discard_upload(self) -> None:
        """Remove the content of a row that could not be saved."""
        if self.storing_as is None:
            return
        try:
            self.content.storage.delete(self.storing_as)
        except Exception as error:  # of any storage: the caller's own error counts
            logger.exception(
                "Bytes without a file are left in the storage: %s",
                self.storing_as,
                exc_info=storage_error(error) is None,
            )

    def derive_from_path(self) -> None:
        """Fill in the columns that follow from the path, the owner and whether the file is live."""
        self.path_key = paths.key(self.path) if self.is_live else None
        self.site_path_key = self.path_key if self.owner_id is None else None
        self.path_head = paths.head(self.path)
        composed = paths.nfc(self.path)
        self.path_nfc = None if composed == self.path else composed

    def describe_content(self) -> None:
        """Fill in the size and version of a new content.

        Raise ValidationError if its storage lacks it, or another error of that storage.
        """
        try:
            self.size = self.content.size if self.content else 0
        except SuspiciousFileOperation:
            raise
        except Exception as error:
            # Each package has an error of its own for what is missing.
            if isinstance(storage_error(error), ContentNotFound):
                raise self._no_content() from error
            raise
        # What is not stored yet lies where Django put it.
        if is_stored(self.content) and is_forbidden(self.content.storage, str(self.content)):
            raise self._no_content()
        self.version = secrets.token_hex(16)
        self.content_updated_at = timezone.now()

    def _describe_type(self) -> None:
        """Fill in the content type, and the charset of a text that can be read without a request.

        A charset is not guessed: a text in another encoding would be shown with wrong characters.
        """
        formerly = paths.name(self.stored_path or self.path)
        described = content_types.given_or_guessed(
            self.content_type, formerly, self.name, conf.CONTENT_TYPES
        )
        if self.content_is_new or described != self.content_type:
            bare = content_types.without_charset(described)
            if content_types.is_text_without_charset(bare):
                sample = beginning(self.content, content_types.SAMPLE_BYTES)
                described = (
                    described if sample is None else content_types.with_charset(bare, sample)
                )
        self.content_type = described

    @staticmethod
    def _derived_from(fields: set[str]) -> set[str]:
        derived = {"updated_at"}
        if fields & {"owner", "owner_id", "path", "deleted_at"}:
            derived |= {"path_key", "site_path_key", "path_head", "path_nfc", "content_type"}
        if "content" in fields:
            derived |= {"storage_alias", "size", "content_type", "version", "content_updated_at"}
        return derived

    def _path_is_taken(self) -> bool:
        if not self.is_live:
            return False
        same = File.objects.at([(self.owner_id, self.path)])
        return same.exclude(pk=self.pk).exists()

    @staticmethod
    def _no_content() -> ValidationError:
        fault = ValidationError(_("The storage does not have this content."), code="no_content")
        return ValidationError({"content": fault})

    @staticmethod
    def _path_taken() -> ValidationError:
        return ValidationError(
            _("Another file is at this path. Rename it or move it to the trash first."),
            code="path_taken",
        )


def _spare_contents(sender: type[models.Model], **kwargs: Any) -> None:
    """Mark a model of files as django-cleanup's own ``ignore`` does, without importing it.

    It would delete contents that a row does not name any more, and they may be the site's.
    """
    if issubclass(sender, File):
        meta = sender._meta
        setattr(sender, f"_{meta.model_name}__{meta.app_label}_cleanup_ignore", None)


_spare_contents(File)
class_prepared.connect(_spare_contents, dispatch_uid="directlinks.models.files")
