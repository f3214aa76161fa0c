"""``manage.py directlinks_export``: write links with all that belongs to them, for an import."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from directlinks.core.records import LinkRecord
from directlinks.management.base import (
    OWNER,
    STANDARD,
    Progress,
    StrictCommand,
    add_file,
    format_of,
    interruptible,
    owner_named,
    replacing,
)
from directlinks.models import DirectLink
from directlinks.querysets import DirectLinkQuerySet
from directlinks.services.transfer import export_links


class Command(StrictCommand):
    """Export links."""

    help = (
        "Writes links with their codes, limits, password hashes and counts, so that "
        "directlinks_import can create them again. Keep the file secret: a code opens its file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_file(parser, help_text="output file; default: standard output")
        parser.add_argument("--owner", help=f"of the links' files: {OWNER}")

    def handle(self, *args: Any, **options: Any) -> None:
        links: DirectLinkQuerySet = DirectLink.objects.all()
        if options["owner"] is not None:
            links = links.filter(file__owner=owner_named(options["owner"]))
        name = options["file"]
        form = format_of(name, options["format"])
        if name == STANDARD:
            progress = Progress(self.stderr, data=self.stdout)
            with interruptible(progress, lambda: None):
                form.write(self.stdout, _Records(links, progress))
            return
        records = _Records(links, progress := Progress(self.stdout))
        with interruptible(progress, lambda: None):
            try:
                with replacing(name) as file:
                    form.write(file, records)
            except OSError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Links: {records.number} exported."))


class _Records:
    """Records of ``links``, counted as they are taken."""

    def __init__(self, links: DirectLinkQuerySet, progress: Progress) -> None:
        self._links = links
        self._progress = progress
        self.number = 0

    def __iter__(self) -> Iterator[LinkRecord]:
        for step in export_links(self._links):
            yield from step
            self.number += len(step)
            self._progress.show(f"{self.number} links exported")
