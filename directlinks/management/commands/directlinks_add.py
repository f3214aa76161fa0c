"""``manage.py directlinks_add OWNER PATH…``: add files to an owner's space."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from directlinks.management.base import (
    OWNER,
    Progress,
    StrictCommand,
    add_dry_run,
    dry,
    explained,
    interruptible,
    owner_named,
    printable,
)
from directlinks.services.adding import (
    Outcome,
    Source,
    add_file,
    local_sources,
    stored_sources,
)
from directlinks.storage import content_storage
from directlinks.storage_errors import reported_errors


class Command(StrictCommand):
    """Add files."""

    help = (
        "Copies files and whole folders into the space of OWNER, or adopts files that the storage "
        "already has. You can interrupt it and run it again: existing files are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("owner", metavar="OWNER", help=OWNER)
        parser.add_argument(
            "paths",
            metavar="PATH",
            nargs="+",
            help="a file or a folder; symbolic links in a folder, and what is no regular file, are "
            "left out",
        )
        parser.add_argument("--into", metavar="FOLDER", default="", help="folder in the space")
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="PATHs are names in the storage, . means all of it; contents are not copied",
        )
        parser.add_argument(
            "--replace", action="store_true", help="replace the content of existing files"
        )
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        owner = owner_named(options["owner"])
        faults: list[str] = []
        outcomes: Counter[Outcome] = Counter()
        progress = Progress(self.stdout)
        with interruptible(progress, lambda: self._sum_up(outcomes, options)):
            sources = list(self._sources(options, faults))
            for number, source in enumerate(sources, 1):
                progress.show(f"[{number}/{len(sources)}] {source.path}")
                done: list[Outcome] = []
                with _noted(source.place, faults):
                    outcome = add_file(
                        owner=owner,
                        source=source,
                        adopt=options["adopt"],
                        replace=options["replace"],
                        dry_run=options["dry_run"],
                    )
                    done.append(outcome)
                outcomes.update(done)
                for outcome in done if options["dry_run"] else ():
                    progress.clear()
                    would = "" if outcome is Outcome.KEPT else "would be "
                    self.stdout.write(printable(f"{source.path}: {would}{outcome.value}"))
        for fault in faults:
            self.stderr.write(self.style.ERROR(printable(fault)))
        self._sum_up(outcomes, options)
        if faults:
            raise CommandError(f"{len(faults)} could not be added.")

    def _sources(self, options: dict[str, Any], faults: list[str]) -> Iterator[Source]:
        into = options["into"]
        for path in options["paths"]:
            with _noted(path, faults):
                if options["adopt"]:
                    storage = content_storage()
                    yield from stored_sources(storage, path, into, leave_out=self._leave_out)
                else:
                    yield from local_sources(Path(path), into, leave_out=self._leave_out)

    def _leave_out(self, place: str, kind: str) -> None:
        self.stderr.write(self.style.WARNING(printable(f"{place}: left out, as it is {kind}")))

    def _sum_up(self, outcomes: Counter[Outcome], options: dict[str, Any]) -> None:
        counts = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
        self.stdout.write(self.style.SUCCESS(dry(f"Files: {counts}.", dry_run=options["dry_run"])))


@contextmanager
def _noted(place: str, faults: list[str]) -> Iterator[None]:
    """Add to ``faults`` why ``place``, or a part of it, cannot be added, and go on."""

    def note(place: str, error: Exception) -> None:
        faults.append(f"{place}: {explained(error)}")

    try:
        with reported_errors(place, note):
            yield
    except ValidationError as error:
        note(place, error)
