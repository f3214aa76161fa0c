"""``manage.py directlinks_sync [app.Model.field ...]``: bring the files of models up to date."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import CommandError

from directlinks import registry
from directlinks.management.base import (
    Progress,
    StrictCommand,
    add_dry_run,
    dry,
    interruptible,
    printable,
)
from directlinks.registry import Registration
from directlinks.services.syncing import sync


class Command(StrictCommand):
    """Bring the files of registered fields up to date."""

    help = (
        "Brings links to files in registered fields up to date with the objects that have them: "
        "after a field was registered, and after changes that send no signals, such as "
        "QuerySet.update(), bulk_create() and SQL. You can interrupt and rerun it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "fields", nargs="*", metavar="FIELD", help="app.Model.field; all that are registered"
        )
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        registrations = self._wanted(options["fields"])
        progress = Progress(self.stdout)
        counts: Counter[str] = Counter()
        faults: list[str] = []
        with interruptible(progress, lambda: self._sum_up(counts, options)):
            for registration in registrations:
                for step in sync(registration, dry_run=options["dry_run"]):
                    for name in ("made", "updated", "withdrawn", "unchanged"):
                        counts[name] += getattr(step, name)
                    faults += step.faults
                    progress.show(f"{registration.label}: {counts.total()}")
        for fault in faults:
            self.stderr.write(self.style.ERROR(printable(fault)))
        self._sum_up(counts, options)
        if faults:
            raise CommandError(f"{len(faults)} could not be brought up to date.")

    def _wanted(self, names: list[str]) -> list[Registration]:
        """Return what is registered as ``names``, or all. Raise CommandError."""
        if not names:
            return registry.registrations()
        wanted = []
        for name in names:
            model, _, field = name.rpartition(".")
            registration = registry.registration_named(f"{model.lower()}.{field}")
            if registration is None:
                known = ", ".join(one.label for one in registry.registrations()) or "none"
                raise CommandError(f"{name!r} is not registered. Registered fields: {known}.")
            wanted.append(registration)
        return wanted

    def _sum_up(self, counts: Counter[str], options: dict[str, Any]) -> None:
        names = ("made", "updated", "withdrawn", "unchanged")
        summary = ", ".join(f"{counts[name]} {name}" for name in names)
        self.stdout.write(self.style.SUCCESS(dry(f"Files: {summary}.", dry_run=options["dry_run"])))
