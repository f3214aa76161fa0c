"""``manage.py directlinks_flush_counts``: add deferred counts to the database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from directlinks.counters.base import get_counter
from directlinks.management.base import StrictCommand


class Command(StrictCommand):
    """Add deferred counts to the database."""

    help = (
        "Adds to the database the downloads that were counted outside of it and that no running "
        "process adds by itself: after the site was stopped, or before a backup."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only print how many are waiting"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        counter = get_counter()
        try:
            if not options["dry_run"]:
                added = counter.flush()
                self.stdout.write(self.style.SUCCESS(f"Downloads: {added} added."))
            pending = counter.pending()
        except counter.errors as error:
            raise CommandError(str(error)) from error
        if pending or options["dry_run"]:
            self.stdout.write(f"Downloads: {pending} waiting.")
