"""The id by which a client's report and the server's log lines find each other."""

import re
from collections.abc import Iterable
from uuid import UUID, uuid4

_GROUPS = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_UUID = re.compile(
    rf"(?:urn:uuid:)?{_GROUPS}|\{{{_GROUPS}\}}|([0-9a-f]{{32}})", re.IGNORECASE | re.ASCII
)


def correlation_id(proposals: Iterable[str | None]) -> str:
    """The first of the client's ``proposals`` that is a UUID, in canonical form, or a new one."""
    for proposal in proposals:
        if proposal is not None and (match := _UUID.fullmatch(proposal)):
            return str(UUID(match[match.lastindex or 0]))
    return str(uuid4())
