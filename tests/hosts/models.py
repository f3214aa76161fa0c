"""Objects with files: of a customer, in two storages, inherited and by a proxy."""

import posixpath
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.utils.functional import cached_property


class ArchiveStorage(FileSystemStorage):
    """A folder beside the usual one, in which a name may be given to other bytes."""

    def __init__(self) -> None:
        super().__init__(allow_overwrite=True)

    @cached_property
    def base_location(self) -> str:
        return posixpath.join(settings.MEDIA_ROOT, "archive")


def archive() -> FileSystemStorage:
    return ArchiveStorage()


class Customer(models.Model):
    """A customer, who may have an account."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    objects: ClassVar[Any] = models.Manager()


class Invoice(models.Model):
    """A document with two files."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True)
    number = models.CharField(max_length=20, blank=True)
    is_paid = models.BooleanField(default=True)
    pdf = models.FileField(upload_to="invoices", blank=True)
    scan = models.FileField(upload_to="scans", storage=archive, blank=True)

    objects: ClassVar[Any] = models.Manager()


class Reminder(Invoice):
    """An invoice with a table of its own beside that of all invoices."""

    level = models.PositiveSmallIntegerField(default=1)
    level_file = models.FileField(upload_to="reminders", blank=True)


class PaidInvoice(Invoice):
    """The same rows under another name."""

    class Meta:
        proxy = True


class Attachment(models.Model):
    """An abstract model."""

    file = models.FileField()

    class Meta:
        abstract = True


class Import(models.Model):
    """A table that Django does not manage."""

    file = models.FileField()

    class Meta:
        managed = False


class Long(models.Model):
    """A key that is longer than what a row of ours holds."""

    name = models.CharField(max_length=300, primary_key=True)
    file = models.FileField()


class Receipt(models.Model):
    """What belongs to one invoice, and has its key."""

    invoice = models.OneToOneField(Invoice, models.CASCADE, primary_key=True)
    file = models.FileField()

    objects: ClassVar[Any] = models.Manager()
