"""A link as it is read for a visit: its own row, and what is needed of its file and owner."""

from datetime import datetime
from typing import NamedTuple

from directlinks.core.links import LinkState, state_of


class LinkRow(NamedTuple):
    """One link, judged and described without another query.

    ``code`` is the one by which it was found, which may be a former one, unlike ``current_code``.
    ``password`` is a hash. ``content`` is the name in the storage with
    ``storage_alias``, ``size`` in bytes.
    """

    link: int
    code: str
    current_code: str
    name: str
    revoked: bool
    paused: bool
    not_before: datetime | None
    expires_at: datetime | None
    downloads: int
    max_downloads: int | None
    password: str
    referers: str
    ask_first: bool
    trashed: bool
    owner_active: bool
    content: str
    storage_alias: str
    content_type: str
    version: str
    modified_at: datetime
    size: int

    @property
    def is_guarded(self) -> bool:
        """Return True if a visitor needs more than the address."""
        return bool(self.password or self.referers or self.ask_first)

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing about the link changes with time, visitors or visits."""
        limits = (self.not_before, self.expires_at, self.max_downloads)
        return not self.is_guarded and all(limit is None for limit in limits)

    def state(self, now: datetime) -> LinkState:
        return state_of(
            now=now,
            revoked=self.revoked,
            trashed=self.trashed,
            owner_active=self.owner_active,
            paused=self.paused,
            not_before=self.not_before,
            expires_at=self.expires_at,
            downloads=self.downloads,
            max_downloads=self.max_downloads,
        )


class Admission(NamedTuple):
    """What is left to know of a link that was found, judged and counted in one statement."""

    link: int
    code: str
    name: str
    expires_at: datetime | None
    max_downloads: int | None
    content: str
    storage_alias: str
    content_type: str
    version: str
    modified_at: datetime
    size: int

    @property
    def current_code(self) -> str:
        """The code: links with a former code are not admitted by one statement."""
        return self.code

    @property
    def password(self) -> str:
        """No hash: links with a password are not admitted by one statement."""
        return ""

    @property
    def is_guarded(self) -> bool:
        """False: others are not admitted by one statement."""
        return False

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing about the link changes with time or visits any more."""
        return self.expires_at is None and self.max_downloads is None
