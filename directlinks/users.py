"""What is asked of a site's own user model. One without ``is_active`` has no inactive users."""

from typing import Any


def is_active(user: object) -> bool:
    """Whether ``user`` may act."""
    return bool(getattr(user, "is_active", True))


def active_where(model: Any, relation: str) -> dict[str, bool]:
    """The same as a condition on the users that ``relation`` leads to, who are of ``model``."""
    fields = {field.name for field in model._meta.get_fields()}
    return {f"{relation}__is_active": True} if "is_active" in fields else {}
