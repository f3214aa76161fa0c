"""Policies: who may create, list, change and revoke the links of a file.

One rule in two shapes, for one file and for a queryset of files; ``DIRECTLINKS["POLICY"]`` names
the class that a site uses. Visiting a link asks no policy: the link is the right.
"""

from typing import Any, Protocol, cast

from django.utils.module_loading import import_string

from directlinks.conf import conf
from directlinks.models import File
from directlinks.querysets import FileQuerySet
from directlinks.users import is_active


class Policy(Protocol):
    """Protocol of a policy. ``user`` may be anonymous."""

    def allows(self, user: Any, file: File) -> bool:
        """Return True if ``user`` may manage the links of ``file``.

        ``file`` has a path, and an owner or None if it is the site's; it has no row if it does not
        exist: the answer for a missing file decides if a stranger learns that it is missing. In a
        large batch its version and datetimes (``created_at`` and the like) are read one by one when
        they are accessed.
        """

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        """Return the files of ``queryset`` that ``allows`` allows."""


def is_admin(user: Any) -> bool:
    """Return True if ``is_staff`` of ``user`` is ``True``: a method, None or a number is not."""
    return getattr(user, "is_staff", False) is True


class OwnerOrAdmin:
    """Allow the owner of a file, and administrators everywhere."""

    def allows(self, user: Any, file: File) -> bool:
        key = user.pk
        if key is None or not is_active(user):
            return False
        return bool(file.owner_id == key or is_admin(user))

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        if not is_active(user) or user.pk is None:
            return queryset.none()
        return queryset if is_admin(user) else queryset.filter(owner=user.pk)


def site_policy() -> Policy:
    """Return an instance of the site's policy class."""
    return cast("Policy", import_string(conf.POLICY)())
