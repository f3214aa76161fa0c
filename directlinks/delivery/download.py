"""Download: all that a delivery backend needs to know, and nothing of how it was allowed."""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from django.db.models.fields.files import FieldFile

from directlinks.conf import conf
from directlinks.models import DirectLink


@dataclass(frozen=True, slots=True)
class Download:
    """One file on its way to one visitor.

    ``attachment`` asks the browser to save rather than show. ``head_only`` is a visitor who asked
    for headers; where the link is ``limited`` too, nothing may give that visitor bytes. ``until``
    is when a temporary target must die at the latest.
    """

    link: int
    name: str
    content: FieldFile
    content_type: str
    version: str
    modified_at: datetime
    attachment: bool
    head_only: bool
    limited: bool
    until: datetime | None


def describe(link: DirectLink, *, attachment: bool, head_only: bool) -> Download:
    """The download of what ``link`` points at now. Types that could act are attachments always."""
    file = link.file
    return Download(
        link=link.pk,
        name=link.name,
        content=file.content,
        content_type=file.content_type,
        version=file.version,
        modified_at=file.content_updated_at,
        attachment=attachment or not _is_passive(file.content_type),
        head_only=head_only,
        limited=link.max_downloads is not None,
        until=link.expires_at,
    )


def _is_passive(content_type: str) -> bool:
    essence = content_type.partition(";")[0].strip().lower()
    return any(fnmatchcase(essence, pattern) for pattern in conf.INLINE_TYPES)
