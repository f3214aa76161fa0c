"""What is asked of a site's own user model."""


def is_active(user: object) -> bool:
    """Whether ``user`` may act; a model without such a field has no inactive users."""
    return bool(getattr(user, "is_active", True))
