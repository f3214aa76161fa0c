"""``manage.py directlinks_add OWNER PATH…``: files into an owner's space."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.management.base import BaseCommand, CommandError

from directlinks.services.adding import (
    Outcome,
    Source,
    add_file,
    local_sources,
    stored_sources,
)
from directlinks.storage import content_storage

_FAULTS: tuple[type[Exception], ...] = (OSError, SuspiciousFileOperation, ValidationError)


class Command(BaseCommand):
    help = (
        "Copies files and whole folders into the space of OWNER, or takes over what the storage "
        "holds already. It can be interrupted and run again: what is there stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("owner", metavar="OWNER", help="user name, or else primary key")
        parser.add_argument(
            "paths",
            metavar="PATH",
            nargs="+",
            help="a file or a folder; symbolic links in a folder are left out",
        )
        parser.add_argument("--into", metavar="FOLDER", default="", help="folder in the space")
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="PATHs are names in the storage, . is all of it; their bytes stay where they are",
        )
        parser.add_argument(
            "--replace", action="store_true", help="replace the content of files that are there"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = self._owner(options["owner"])
        faults: list[str] = []
        outcomes: Counter[Outcome] = Counter()
        try:
            sources = list(self._sources(options, faults))
            for number, source in enumerate(sources, 1):
                self._show(f"[{number}/{len(sources)}] {source.path}")
                try:
                    outcome = add_file(
                        owner=owner,
                        source=source,
                        adopt=options["adopt"],
                        replace=options["replace"],
                        dry_run=options["dry_run"],
                    )
                except _FAULTS as error:
                    faults.append(f"{source.place}: {explained(error)}")
                    continue
                outcomes[outcome] += 1
                if options["dry_run"]:
                    self._show("")
                    would = "" if outcome is Outcome.KEPT else "would be "
                    self.stdout.write(_printable(f"{source.path}: {would}{outcome.value}"))
        except KeyboardInterrupt:
            self._show("")
            self._sum_up(outcomes, options)
            raise CommandError("Interrupted. Run the same command again to go on.") from None
        self._show("")
        for fault in faults:
            self.stderr.write(self.style.ERROR(_printable(fault)))
        self._sum_up(outcomes, options)
        if faults:
            raise CommandError(f"{len(faults)} could not be added.")

    def _owner(self, name: str) -> Any:
        model = get_user_model()
        owner = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
        if owner is None:
            try:
                owner = model._default_manager.filter(pk=name).first()
            except (ValueError, ValidationError):
                owner = None
        if owner is None:
            raise CommandError(f"There is no user {name!r}.")
        return owner

    def _sources(self, options: dict[str, Any], faults: list[str]) -> Iterator[Source]:
        for path in options["paths"]:
            try:
                if options["adopt"]:
                    yield from stored_sources(content_storage(), path, options["into"])
                else:
                    yield from local_sources(Path(path), options["into"])
            except _FAULTS as error:
                faults.append(f"{path}: {explained(error)}")

    def _show(self, line: str) -> None:
        """Progress, on a terminal alone: each line takes the place of the one before."""
        if self.stdout.isatty():
            self.stdout.write("\r\x1b[K" + _printable(line), ending="")
            self.stdout.flush()

    def _sum_up(self, outcomes: Counter[Outcome], options: dict[str, Any]) -> None:
        counts = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
        dry = " (dry run: nothing was changed)" if options["dry_run"] else ""
        self.stdout.write(self.style.SUCCESS(f"Files: {counts}.{dry}"))


def explained(error: Exception) -> str:
    """Why a file was not added, in one line."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def _printable(text: str) -> str:
    """``text`` with what a terminal cannot show, or would obey, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
