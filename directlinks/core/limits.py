"""The columns that limit a link."""

from collections.abc import Mapping
from typing import Any

# The reusable link of a file has these, so that no user is given a link with another's limits.
UNLIMITED: Mapping[str, Any] = {
    "not_before": None,
    "expires_at": None,
    "max_downloads": None,
    "paused": False,
    "password": "",
    "referers": "",
    "ask_first": False,
    "revoked_at": None,
}
