"""How accounts and moments are shown on the wire."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from directlinks.conf import conf


def logged_in_user(user: Any, *, is_admin: bool) -> dict[str, Any]:
    """The account as existing clients read it; ``permission`` is a bit set in base64.

    A user model without a date of joining gives the beginning of Unix time: strict clients need
    one.
    """
    group: dict[str, Any] = {
        "id": "1" if is_admin else "2",
        "name": "Admin" if is_admin else "User",
        "permission": "/RoB" if is_admin else "hAg=",
    }
    if conf.BATCH_SIZE:
        group["direct_link_batch_size"] = min(conf.BATCH_SIZE, conf.MAX_BATCH_SIZE)
    return {
        "id": str(user.pk),
        "email": getattr(user, user.get_email_field_name(), ""),
        "nickname": _full_name(user) or user.get_username(),
        "created_at": rfc3339(getattr(user, "date_joined", datetime.fromtimestamp(0, UTC))),
        "group": group,
    }


def _full_name(user: Any) -> str:
    return str(user.get_full_name()) if hasattr(user, "get_full_name") else ""


def rfc3339(moment: datetime) -> str:
    """``moment`` in UTC; a naive one is in the site's time zone."""
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
