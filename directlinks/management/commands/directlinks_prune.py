"""``manage.py directlinks_prune``: remove old rows and unused contents."""

from argparse import ArgumentParser
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.db.models import QuerySet
from django.utils import timezone

from directlinks.core.codes import UNREPEATED_BITS
from directlinks.core.errors import DirectLinksError
from directlinks.management.base import (
    Progress,
    StrictCommand,
    add_dry_run,
    confirmed,
    days,
    dry,
    explained,
    interruptible,
    printable,
)
from directlinks.querysets import batched
from directlinks.services import pruning
from directlinks.storage import OWN_FOLDER, content_storage
from directlinks.tenants import may_be_shared

# What a year is compared with is the year before.
_DEFAULT_AGE = timedelta(days=400)

_CONTENTS = "contents without a file"


class Command(StrictCommand):
    """Remove old rows and unused contents."""

    help = (
        "Removes answers that no client may repeat, batches of counts that were added long ago and "
        "counts of days that are old. Links and contents are removed only on request. You can "
        "interrupt and rerun it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            metavar="NUMBER",
            type=days,
            default=_DEFAULT_AGE,
            help=f"how many days count as old for links and days (default: {_DEFAULT_AGE.days})",
        )
        parser.add_argument(
            "--links",
            action="store_true",
            help="also links revoked, expired or used up that long ago, with their counts",
        )
        parser.add_argument(
            "--bytes",
            action="store_true",
            help="also contents in our folder of the storage that no file names",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask on a terminal")
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        now = timezone.now()
        progress = Progress(self.stdout)
        removed: Counter[str] = Counter()
        faults: list[str] = []
        with interruptible(progress, lambda: self._sum_up(removed, dry_run=dry_run)):
            if not (dry_run or options["yes"]):
                _ask(options, self.stderr)
            for kind, rows in _tables(options, now).items():
                for number in [rows.count()] if dry_run else pruning.delete_in_steps(rows):
                    removed[kind] += number
                    progress.show(f"{removed[kind]} {kind}")
            if options["bytes"]:
                self._remove_contents(now, removed, faults, progress, dry_run=dry_run)
        for fault in faults:
            self.stderr.write(self.style.ERROR(printable(fault)))
        self._sum_up(removed, dry_run=dry_run)
        if faults:
            raise CommandError(f"{len(faults)} could not be removed.")

    def _remove_contents(
        self,
        now: datetime,
        removed: Counter[str],
        faults: list[str],
        progress: Progress,
        *,
        dry_run: bool,
    ) -> None:
        def note(name: str, error: Exception) -> None:
            faults.append(f"{name}: {explained(error)}")

        storage = content_storage()
        if may_be_shared(storage):
            raise CommandError(
                "Contents of other tenants may lie in this storage, so none are removed. Use a "
                "storage of your app for tenants, such as TenantFileSystemStorage."
            )
        try:
            for names in batched(pruning.contents_without_file(storage, now, note)):
                before = len(faults)
                if not dry_run:
                    pruning.remove_contents(storage, names, note)
                    progress.show(names[-1])
                else:
                    progress.clear()
                    for name in names:
                        self.stdout.write(printable(f"{name}: would be removed"))
                removed[_CONTENTS] += len(names) - (len(faults) - before)
        except NotImplementedError:
            raise CommandError("The storage cannot list its contents with their dates.") from None
        except DirectLinksError as error:
            note(f"{OWN_FOLDER}/", error)

    def _sum_up(self, removed: Counter[str], *, dry_run: bool) -> None:
        counts = ", ".join(f"{number} {kind}" for kind, number in removed.items() if number)
        summary = dry(f"Removed: {counts or 'nothing'}.", dry_run=dry_run)
        self.stdout.write(self.style.SUCCESS(summary))


def _tables(options: dict[str, Any], now: datetime) -> dict[str, "QuerySet[Any, Any]"]:
    """Return the rows to remove, by what they are called."""
    if options["links"] and not pruning.codes_never_return():
        raise CommandError(
            f"The codes of this site have less than {UNREPEATED_BITS} random bits, so a "
            "removed code could be given to another file. Its links are kept."
        )
    tables: dict[str, QuerySet[Any, Any]] = {
        "answers to requests": pruning.old_requests(now),
        "batches of counts": pruning.old_batches(now),
        "counts of days": pruning.old_days(now, options["days"]),
    }
    if options["links"]:
        tables["links"] = pruning.dead_links(now, options["days"])
    return tables


def _ask(options: dict[str, Any], out: OutputWrapper) -> None:
    """Raise CommandError if rows or contents would be removed and the user does not confirm."""
    old = f"links that ended {options['days'].days} days ago or earlier"
    targets = [old] * options["links"] + ["contents without a file"] * options["bytes"]
    if targets and not confirmed(f"Remove {' and '.join(targets)} for good?", out):
        raise CommandError("Nothing was removed.")
