"""Adding a batch of downloads, collected outside the database, to it exactly once.

Each part of a batch is added in one transaction that writes down its name, too: whoever finds the
same batch again, after a process died half-way or at the same time, learns that it is done.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, router, transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from directlinks.counting.days import moment_of
from directlinks.counting.tally import Tally
from directlinks.models import DailyDownloads, DirectLink, FoldedBatch

# So few that visitors of these links wait for milliseconds only, and that no database runs out of
# parameters: updating a link takes six, and old versions of SQLite allow 999 in a statement.
LINKS_AT_ONCE = 150


def fold_batch(name: str, tally: Tally) -> int:
    """Add ``tally``, which is all of the batch ``name``, and return how many downloads that were.

    It may be interrupted and called again, by many at once, with the same name and downloads: all
    of them together add each download once. Links that were deleted meanwhile are left out.
    """
    # The same downloads give the same parts, in the order in which everybody locks links.
    links = sorted(tally.last)
    parts = [links[start : start + LINKS_AT_ONCE] for start in range(0, len(links), LINKS_AT_ONCE)]
    return sum(_fold_part(f"{name}/{number}", part, tally) for number, part in enumerate(parts))


def forget_batch(name: str) -> None:
    """Forget that the batch ``name`` was added, because nobody can find it any more."""
    _batches().filter(name__startswith=f"{name}/").delete()


def forget_batches(kind: str, before: datetime) -> None:
    """Forget the batches whose names begin with ``kind`` and that were last met ``before``."""
    _batches().filter(name__startswith=f"{kind}/", folded_at__lt=before).delete()


def _using() -> str:
    return router.db_for_write(DirectLink)


def _batches() -> QuerySet[FoldedBatch]:
    return FoldedBatch.objects.using(_using())


def _fold_part(name: str, links: Sequence[int], tally: Tally) -> int:
    using = _using()
    # Durable: whoever called deletes the batch now, and no rollback would bring it back.
    with transaction.atomic(using=using, durable=True):
        # Written first, so that SQLite gives this transaction its one lock at once or not at all.
        if not _is_new(name):
            return 0
        # The rows are locked in the order of their keys, and those of their days after them, as
        # each visit does: nobody can wait for somebody who waits for him.
        rows = DirectLink.objects.using(using).filter(pk__in=links).order_by("pk").only("pk")
        there = list(rows.select_for_update())
        _add_to_links(there, tally, using)
        _add_to_days([link.pk for link in there], tally, using)
    return sum(tally.total(link.pk) for link in there)


def _is_new(name: str) -> bool:
    now = timezone.now()
    try:
        with transaction.atomic(using=_using()):
            _batches().create(name=name, folded_at=now)
    except IntegrityError:
        # Whoever added it could not remove it, so it must be remembered for longer.
        _batches().filter(name=name).update(folded_at=now)
        return False
    return True


def _add_to_links(links: Sequence[DirectLink], tally: Tally, using: str) -> None:
    for link in links:
        link.downloads = F("downloads") + tally.total(link.pk)
        link.last_opened_at = _later(moment_of(tally.last[link.pk]))
    DirectLink.objects.using(using).bulk_update(links, ["downloads", "last_opened_at"])


def _later(moment: datetime) -> Case:
    """``moment``, or what ``last_opened_at`` is where that is later."""
    return Case(When(last_opened_at__gt=moment, then="last_opened_at"), default=Value(moment))


def _add_to_days(links: Sequence[int], tally: Tally, using: str) -> None:
    rows = DailyDownloads.objects.using(using)
    wanted = {(link, day): times for link in links for day, times in tally.times[link].items()}
    met = list(rows.filter(link__in=links, day__in={day for _, day in wanted}))
    met = [row for row in met if (row.link_id, row.day) in wanted]
    for row in met:
        row.downloads = F("downloads") + wanted.pop((row.link_id, row.day))
    rows.bulk_update(met, ["downloads"], batch_size=LINKS_AT_ONCE)
    # Nobody else can make a row for a day of a link that is locked here.
    rows.bulk_create(
        DailyDownloads(link_id=link, day=day, downloads=times)
        for (link, day), times in wanted.items()
    )
