"""Who may create, list, change and revoke the links of a file.

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
    """The methods of a policy. ``user`` is the one who asks, who may be anonymous."""

    def allows(self, user: Any, file: File) -> bool:
        """Whether ``user`` may manage the links of ``file``.

        ``file`` has an owner and a path, but no row where there is none at that path: the answer
        for a missing file decides whether a stranger learns that it is missing. In a batch of many
        files its version and moments (``created_at`` and the like) are read one by one, as they are
        asked for.
        """

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        """The files of ``queryset`` that ``allows`` allows."""


def is_admin(user: Any) -> bool:
    """Return True if ``is_staff`` of ``user`` is ``True``: a method, None or a number is not."""
    return getattr(user, "is_staff", False) is True


class OwnerOrAdmin:
    """The owner of a file, and administrators everywhere."""

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
    """A policy of the class that the site has chosen."""
    return cast("Policy", import_string(conf.POLICY)())
