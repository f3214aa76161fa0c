"""``manage.py directlinks_import``: create exported links again, at the same addresses."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from directlinks.core.records import Format, WrongFormat
from directlinks.management.base import (
    Progress,
    StrictCommand,
    add_dry_run,
    add_file,
    dry,
    format_of,
    interruptible,
    printable,
    reading,
)
from directlinks.services.transfer import Outcome, import_links


class Command(StrictCommand):
    """Import links."""

    help = (
        "Creates the links that directlinks_export wrote, with their addresses, limits and counts. "
        "Their files must exist at the same paths of the same owners. You can interrupt it and "
        "run it again: existing links are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file(parser, help_text="input file; default: standard input")
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes: Counter[Outcome] = Counter()
        form = format_of(options["file"], options["format"])
        try:
            self._import(form, outcomes, options)
        except (OSError, UnicodeDecodeError, WrongFormat) as error:
            self._sum_up(outcomes, options)
            raise CommandError(str(error)) from error
        self._sum_up(outcomes, options)
        if failed := outcomes[Outcome.MISSING] + outcomes[Outcome.REFUSED]:
            raise CommandError(f"{failed} could not be imported.")

    def _import(self, form: Format, outcomes: Counter[Outcome], options: dict[str, Any]) -> None:
        progress = Progress(self.stdout)
        with (
            interruptible(progress, lambda: self._sum_up(outcomes, options)),
            reading(options["file"]) as lines,
        ):
            steps = import_links(form.read(lines), now=timezone.now(), dry_run=options["dry_run"])
            for step in steps:
                outcomes.update(step.outcomes)
                for number, fault in step.faults:
                    progress.clear()
                    line = printable(f"Line {number}: {fault}")
                    self.stderr.write(self.style.ERROR(line))
                progress.show(f"{outcomes.total()} links read")

    def _sum_up(self, outcomes: Counter[Outcome], options: dict[str, Any]) -> None:
        counts = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
        summary = dry(f"Links: {counts}.", dry_run=options["dry_run"])
        self.stdout.write(self.style.SUCCESS(summary))
