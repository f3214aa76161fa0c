"""The tables: files, the links that lead to them, and what is known of the links' use."""

from directlinks.models.codes import FormerCode
from directlinks.models.contents import UnusedContent, validate_path
from directlinks.models.counts import DailyDownloads, FlushedBatch
from directlinks.models.deleting import lock_links
from directlinks.models.files import File
from directlinks.models.idempotency import IdempotentRequest
from directlinks.models.links import DirectLink

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
