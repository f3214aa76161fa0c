"""The columns that limit a link."""

from collections.abc import Mapping
from typing import Any

# Whoever asks for a link to a file gets the one that has these, so nobody gets another's limits.
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
