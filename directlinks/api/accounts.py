"""How accounts are shown on the wire."""

from datetime import UTC, datetime
from typing import Any

from directlinks.conf import conf
from directlinks.datetimes import rfc3339
from directlinks.policies import is_admin


def logged_in_user(user: Any) -> dict[str, Any]:
    """The account as existing clients read it; ``permission`` is a bit set in base64.

    A user without a date of joining gives the beginning of Unix time: strict clients need one.
    """
    joined = getattr(user, "date_joined", None)
    admin = is_admin(user)
    group: dict[str, Any] = {
        "id": "1" if admin else "2",
        "name": "Admin" if admin else "User",
        "permission": "/RoB" if admin else "hAg=",
    }
    if conf.BATCH_SIZE:
        group["direct_link_batch_size"] = min(conf.BATCH_SIZE, conf.MAX_BATCH_SIZE)
    return {
        "id": str(user.pk),
        "email": getattr(user, user.get_email_field_name(), ""),
        "nickname": _full_name(user) or user.get_username(),
        "created_at": rfc3339(joined or datetime.fromtimestamp(0, UTC)),
        "group": group,
    }


def _full_name(user: Any) -> str:
    name = user.get_full_name() if hasattr(user, "get_full_name") else None
    if not isinstance(name, str):
        return ""
    if None in (getattr(user, "first_name", ""), getattr(user, "last_name", "")):
        # As Django's own get_full_name() writes a name that is missing.
        name = " ".join(word for word in name.split() if word != "None")
    return name.strip()
