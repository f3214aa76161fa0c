"""The id by which a client's report and the server's log lines find each other."""

import re
from collections.abc import Iterable
from uuid import UUID, uuid4

_GROUPS = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_UUID = re.compile(
    rf"(?:urn:uuid:)?{_GROUPS}|\{{{_GROUPS}\}}|([0-9a-f]{{32}})", re.IGNORECASE | re.ASCII
)


def correlation_id(proposals: Iterable[str | None]) -> str:
    """Return the first of the client's ``proposals`` that is a UUID, in canonical form.

    Return a new one if there is none. The UUID of zeros alone means "no UUID" (RFC 9562).
    """
    for proposal in proposals:
        if proposal is not None and (match := _UUID.fullmatch(proposal)):
            proposed = UUID(match[match.lastindex or 0])
            if proposed.int:
                return str(proposed)
    return str(uuid4())
