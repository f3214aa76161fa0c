"""``manage.py directlinks_move SOURCE TARGET``: move contents to another storage."""

from argparse import ArgumentParser
from collections import Counter
from itertools import chain
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from directlinks.conf import conf
from directlinks.management.base import (
    OWNER,
    Progress,
    StrictCommand,
    add_dry_run,
    dry,
    interruptible,
    owner_named,
    printable,
)
from directlinks.models import File
from directlinks.querysets import FileQuerySet, in_batches
from directlinks.services import moving

_DELETED = "deleted"


class Command(StrictCommand):
    """Move contents."""

    help = (
        "Moves the contents of files from the storage SOURCE to the storage TARGET, both as they "
        "are called in STORAGES, while their links are followed. Each copy is read back and "
        "compared before its file points to it. Former contents are deleted by a later run, once "
        "no address that was handed out before leads to them. You can interrupt and rerun it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="alias of the storage of the contents")
        parser.add_argument(
            "target", metavar="TARGET", help="alias of the storage they are to be in"
        )
        parser.add_argument("--owner", help=f"of the files: {OWNER}")
        parser.add_argument(
            "--path", help="one file of that owner, or all in one folder; in the trash, too"
        )
        parser.add_argument(
            "--keep", action="store_true", help="never delete the former contents of these files"
        )
        parser.add_argument(
            "--delete-adopted",
            action="store_true",
            help="also delete former contents that were adopted, which may be in use elsewhere",
        )
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        move = self._wanted(options)
        files = self._files(move, options)
        progress = Progress(self.stdout)
        counts: Counter[str] = Counter()
        faults: list[str] = []
        with interruptible(progress, lambda: self._sum_up(counts, options)):
            self._delete_unused(counts, faults, progress, dry_run=options["dry_run"])
            total = files.count()
            for number, file in enumerate(chain.from_iterable(in_batches(files)), 1):
                progress.show(f"[{number}/{total}] {file.path}")
                try:
                    outcome = self._move(file, move, progress, dry_run=options["dry_run"])
                except moving.NotMoved as error:
                    faults.append(f"{file.owner_name}: {file.path}: {error}")
                else:
                    counts[outcome.value] += 1
        for fault in faults:
            self.stderr.write(self.style.ERROR(printable(fault)))
        self._sum_up(counts, options)
        if faults:
            raise CommandError(f"{len(faults)} could not be moved or deleted.")

    def _wanted(self, options: dict[str, Any]) -> moving.Move:
        """Return what to do. Raise CommandError if the site has no such storages."""
        source, target = options["source"], options["target"]
        if source == target:
            raise CommandError("SOURCE and TARGET are the same.")
        for alias in (source, target):
            if alias not in conf.storage_aliases:
                known = ", ".join(conf.storage_aliases)
                raise CommandError(f"STORAGES has no {alias!r}. It has: {known}.")
        return moving.Move(
            source=source,
            target=target,
            delete=not options["keep"],
            delete_adopted=options["delete_adopted"],
        )

    def _files(self, move: moving.Move, options: dict[str, Any]) -> FileQuerySet:
        files = moving.files_in(move.source)
        owner, path = options["owner"], options["path"]
        if owner is None and path is not None:
            raise CommandError("--path requires --owner.")
        if owner is None:
            return files
        user = owner_named(owner)
        return files.filter(owner=user) if path is None else files.at_or_below(user, path)

    def _move(
        self, file: File, move: moving.Move, progress: Progress, *, dry_run: bool
    ) -> moving.Outcome:
        if not dry_run:
            return moving.move_content(file, move)
        progress.clear()
        self.stdout.write(printable(f"{file.path}: would be moved"))
        return moving.Outcome.MOVED

    def _delete_unused(
        self, counts: Counter[str], faults: list[str], progress: Progress, *, dry_run: bool
    ) -> None:
        """Delete what former runs have left, if nothing leads to it any more."""
        for unused in moving.unused_contents(timezone.now(), dry_run=dry_run):
            progress.show(str(unused))
            try:
                if not dry_run:
                    moving.delete_unused(unused)
            except moving.NotDeleted as error:
                faults.append(f"{unused}: {error}")
            else:
                counts[_DELETED] += 1

    def _sum_up(self, counts: Counter[str], options: dict[str, Any]) -> None:
        names = (*(outcome.value for outcome in moving.Outcome), _DELETED)
        summary = ", ".join(f"{counts[name]} {name}" for name in names)
        self.stdout.write(
            self.style.SUCCESS(dry(f"Contents: {summary}.", dry_run=options["dry_run"]))
        )
        waiting = moving.waiting(timezone.now())
        if waiting and not options["dry_run"]:
            seconds = moving.grace().total_seconds()
            self.stdout.write(
                f"Waiting to be deleted: {waiting}. Run it again in {seconds:.0f} seconds or later."
            )
