"""Active users, by the site's user model: only the value ``True`` counts.

A model without ``is_active`` has no inactive users. A method, None or a number is never ``True``,
so a model with such an attribute closes its links instead of opening those of everyone.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import router
from django.db.models import BooleanField, Q, QuerySet


def users() -> "QuerySet[Any, Any]":
    """Return all users of the site, as they are in the database to which they are written."""
    model = get_user_model()
    return model._default_manager.using(router.db_for_write(model))


def owner_key(owner: Any) -> Any:
    """Return the primary key of ``owner``, None for the owner of the site's own files."""
    return None if owner is None else owner.pk


def is_active(user: object) -> bool:
    """Return True if ``user`` may act. None, the owner of the site's own files, does so, too."""
    return getattr(user, "is_active", True) is True


def active_where(model: Any, relation: str) -> Q:
    """Return the same as a condition on the users that ``relation`` leads to, who are of ``model``.

    It holds if there is no user. It is empty if all users are active, or if
    ``activity_is_computed``.
    """
    # Not "= True", which Django leaves out: any number but 0 would do.
    if not _has_boolean(model):
        return Q()
    return Q(**{f"{relation}__isnull": True}) | Q(**{f"{relation}__is_active__in": [True]})


def active_column(model: Any) -> str | None:
    """Return the column of the table of ``model`` that says whether a user is active, or None."""
    columns = {field.name: field.column for field in model._meta.local_concrete_fields}
    column: str | None = columns.get("is_active")
    return column if _has_boolean(model) else None


def activity_is_computed(model: Any) -> bool:
    """Return True if only Python can say who is active: ``is_active`` is no boolean field."""
    return not _has_boolean(model) and getattr(model, "is_active", True) is not True


def inactive_keys(model: Any, relation: str) -> list[Any]:
    """Return the keys of those users of ``model`` with a ``relation`` who are not active.

    Each of them is read, for a model of which ``activity_is_computed``.
    """
    everyone = model._base_manager.using(router.db_for_write(model))
    owners = everyone.filter(**{f"{relation}__isnull": False}).distinct()
    return [user.pk for user in owners.iterator() if not is_active(user)]


def _has_boolean(model: Any) -> bool:
    try:
        return isinstance(model._meta.get_field("is_active"), BooleanField)
    except FieldDoesNotExist:
        return False
