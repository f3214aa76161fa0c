"""Validators of a file's columns, where its content is stored, and unused contents."""

import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.text import get_valid_filename
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from directlinks.core import content_types, paths
from directlinks.fields import ExactCharField
from directlinks.querysets import PrimaryManager, PrimaryQuerySet
from directlinks.storage import OWN_FOLDER, has_local_paths

# What core.paths may say, which knows no Django: listed here to be found by translators.
PATH_FAULTS = (
    gettext_noop("A path cannot be empty."),
    gettext_noop("A path can have up to 1024 characters."),
    gettext_noop("A path can have up to 64 names."),
    gettext_noop("A path cannot contain control characters or undecodable bytes."),
    gettext_noop(
        "Enter a path such as photos/2026/cat.jpg: no slash at the start or end, no '.' or '..'."
    ),
    gettext_noop("A name can have up to 255 bytes."),
)


def validate_path(path: str) -> None:
    """Raise ValidationError if ``path`` cannot be the path of a file."""
    if (fault := paths.fault(path)) is not None:
        raise ValidationError(_(fault), code="invalid_path")


def validate_content_type(content_type: str) -> None:
    """Raise ValidationError if ``content_type`` cannot be sent to a browser."""
    if not content_types.is_well_formed(content_type):
        raise ValidationError(_("Enter a content type such as image/png."), code="invalid_type")


def content_name(file: Any, filename: str) -> str:
    """Return the name in the storage: it tells neither the owner nor the folder of ``file``.

    Nor does it imply an encoding: a storage would note that with the content, and clients that
    decompress would get other bytes than were stored.
    """
    # Kept on the file, so that bytes whose row cannot be saved are found again.
    file.storing_as = name = new_name(file)
    return name


def new_name(file: Any) -> str:
    """Return a name, as ``content_name`` does, under which no storage has anything."""
    try:
        basename = get_valid_filename(file.name)
    except SuspiciousFileOperation:  # nothing is left of a name like "!!!"
        basename = "file"
    while content_types.implies_encoding(basename):
        basename = "_".join(basename.rsplit(".", 1))
    return f"{OWN_FOLDER}/{secrets.token_hex(16)}/{basename}"


def is_stored(content: FieldFile) -> bool:
    """Return True if ``content`` is the name of what a storage has, and not an upload."""
    # Django's own mark, which its stubs do not know.
    is_committed: bool = content._committed  # type: ignore[attr-defined]
    return bool(content) and is_committed


def beginning(content: FieldFile, size: int) -> bytes | None:
    """Return the first ``size`` bytes of ``content``, or None if only a request could tell them.

    An upload is read before it is stored, and goes on at its beginning.
    """
    if not content:
        return b""
    if not is_stored(content):
        content.file.seek(0)
        sample: bytes = content.file.read(size)
        content.file.seek(0)
        return sample
    if not has_local_paths(content.storage) or not Path(content.path).is_file():
        return None
    with content.storage.open(str(content), "rb") as file:
        stored: bytes = file.read(size)
    return stored


class UnusedContent(models.Model):
    """A content that no file names any more, or that none names yet, and when it may be deleted.

    A copy is noted here before it is written, and a content in the transaction in which its file
    gets another one. So what a process leaves behind is known, whenever it is killed.
    """

    storage_alias = ExactCharField(max_length=200)
    name = ExactCharField(max_length=500)
    delete_after = models.DateTimeField(db_index=True)

    objects = PrimaryManager.from_queryset(PrimaryQuerySet)()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.storage_alias}: {self.name}"
