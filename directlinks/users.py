"""What is asked of a site's own user model. One without ``is_active`` has no inactive users."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import QuerySet


def users() -> "QuerySet[Any, Any]":
    """Return all users of the site, as they are in the database to which they are written."""
    model = get_user_model()
    return model._default_manager.using(router.db_for_write(model))


def is_active(user: object) -> bool:
    """Whether ``user`` may act."""
    return bool(getattr(user, "is_active", True))


def active_where(model: Any, relation: str) -> dict[str, bool]:
    """The same as a condition on the users that ``relation`` leads to, who are of ``model``."""
    fields = {field.name for field in model._meta.get_fields()}
    return {f"{relation}__is_active": True} if "is_active" in fields else {}


def active_column(model: Any) -> str | None:
    """The column of the table of ``model`` that says whether a user is active, or None."""
    columns = {field.name: field.column for field in model._meta.local_concrete_fields}
    column: str | None = columns.get("is_active")
    return column


def activity_is_computed(model: Any) -> bool:
    """Whether only Python can say who is active: ``is_active`` is a property, or elsewhere."""
    return active_column(model) is None and getattr(model, "is_active", True) is not True
