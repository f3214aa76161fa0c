"""Adding a batch of downloads, collected outside the database, to it exactly once.

Each part of a batch is added in one transaction that also stores its name. A process that finds the
same batch, at the same time or after another one died half-way, sees that it is done.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from directlinks.counting.tally import Tally
from directlinks.models import DirectLink, FoldedBatch
from directlinks.sql.choice import folds_of
from directlinks.sql.folds import Collected

# Few enough that a visit waits only milliseconds for one of these links or for SQLite's one lock;
# enough that a process under full load adds a few parts each second, each of which waits for the
# disk once.
LINKS_AT_ONCE = 1000


def fold_batch(name: str, tally: Tally) -> int:
    """Add ``tally``, which is all of the batch ``name``, and return how many downloads that were.

    It may be interrupted and called again, by many at once, with the same name and downloads: all
    of them together add each download once. Links that were deleted meanwhile are left out.
    """
    # The same downloads give the same parts, in the order in which all writers lock links.
    links = tally.by_link()
    parts = [links[start : start + LINKS_AT_ONCE] for start in range(0, len(links), LINKS_AT_ONCE)]
    return sum(_fold_part(f"{name}/{number}", part) for number, part in enumerate(parts))


def forget_batch(name: str) -> None:
    """Forget that the batch ``name`` was added, because it is deleted and cannot be met again."""
    FoldedBatch.objects.filter(name__startswith=f"{name}/").delete()


def forget_batches(kind: str, before: datetime) -> None:
    """Forget the batches whose names begin with ``kind`` and that were last met ``before``."""
    FoldedBatch.objects.filter(name__startswith=f"{kind}/", folded_at__lt=before).delete()


def _fold_part(name: str, part: Sequence[Collected]) -> int:
    # Durable: the caller deletes the batch now, and no rollback would bring it back.
    with transaction.atomic(using=DirectLink.objects.db, durable=True):
        # Written first, so that SQLite gives this transaction its one lock at once or not at all.
        if not _is_new(name):
            return 0
        there = folds_of(DirectLink).add(part)
    return sum(collected.times for collected in part if collected.link in there)


def _is_new(name: str) -> bool:
    now = timezone.now()
    try:
        with FoldedBatch.objects.atomic():
            FoldedBatch.objects.create(name=name, folded_at=now)
    except IntegrityError:
        # The process that added it could not remove it, so the name must be kept for longer.
        FoldedBatch.objects.filter(name=name).update(folded_at=now)
        return False
    return True
