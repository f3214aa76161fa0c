"""Models: files, the links to them, and how the links are used."""

from directlinks.models.contents import UnusedContent, validate_path
from directlinks.models.files import File
from directlinks.models.links import DirectLink, FormerCode, lock_links
from directlinks.models.statistics import DailyDownloads, FlushedBatch, IdempotentRequest

__all__ = [
    "DailyDownloads",
    "DirectLink",
    "File",
    "FlushedBatch",
    "FormerCode",
    "IdempotentRequest",
    "UnusedContent",
    "lock_links",
    "validate_path",
]
