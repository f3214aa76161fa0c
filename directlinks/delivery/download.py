"""Download: what a delivery backend needs to know, once access was granted."""

from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from django.db.models.fields.files import FieldFile

from directlinks.conf import conf
from directlinks.core import content_types


class Download(NamedTuple):
    """One file on its way to one visitor.

    ``attachment`` asks the browser to save rather than show. ``head_only`` is a visitor who asked
    for headers; if the link is ``limited`` too, nothing may give that visitor bytes. A
    ``guarded`` link asks its visitors for more than its address. ``until`` is when a temporary
    target must die at the latest. Targets are bound to the current ``code`` of the link and to the
    hash of its ``password``, "" if it has none. ``content`` lies in the storage with
    ``storage_alias``.
    """

    link: int
    code: str
    password: str
    name: str
    content: FieldFile
    storage_alias: str
    content_type: str
    version: str
    size: int
    modified_at: datetime
    attachment: bool
    head_only: bool
    limited: bool
    guarded: bool
    until: datetime | None

    @property
    def is_public(self) -> bool:
        """True if what one visitor got may be shown to another."""
        return not (self.limited or self.guarded)

    @property
    def only_headers(self) -> bool:
        """True if the answer must not lead to contents.

        A target for HEAD of an unlimited link is good for GET too: many download managers send
        HEAD, follow the redirect, and GET the file from there.
        """
        return self.head_only and self.limited


def is_passive(content_type: str) -> bool:
    """Return True if a browser may show documents of this type, which cannot run scripts."""
    return _is_one_of(content_type, tuple(conf.INLINE_TYPES))


@lru_cache(maxsize=1024)
def _is_one_of(content_type: str, patterns: tuple[str, ...]) -> bool:
    if not content_types.is_well_formed(content_type):
        return False
    essence = content_type.partition(";")[0].strip().lower()
    return any(fnmatchcase(essence, pattern) for pattern in patterns)
