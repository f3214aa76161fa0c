"""``manage.py directlinks_revoke``: revoke links for good."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from directlinks.core import codes
from directlinks.management.base import (
    OWNER,
    Progress,
    StrictCommand,
    add_dry_run,
    confirmed,
    dry,
    interruptible,
    owner_named,
)
from directlinks.models import DirectLink
from directlinks.querysets import DirectLinkQuerySet, in_batches
from directlinks.services.revoking import revoke_all


class Command(StrictCommand):
    """Revoke links."""

    help = (
        "Revokes links for good: those with the CODEs, or all that the options describe together. "
        "You can interrupt it and run it again: revoked links stay revoked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("codes", metavar="CODE", nargs="*", help="the first part after /f/")
        parser.add_argument("--owner", help=f"of the links' files: {OWNER}")
        parser.add_argument(
            "--file", metavar="PATH", help="one file of that owner; in the trash, too"
        )
        parser.add_argument("--label", help="the whole label")
        parser.add_argument("--yes", action="store_true", help="do not ask on a terminal")
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        links = self._links(options)
        progress = Progress(self.stdout)
        revoked = 0
        with interruptible(progress, lambda: self._sum_up(revoked, options)):
            if not (options["yes"] or options["dry_run"]):
                self._ask(links, options)
            for step in _standing(links, options):
                if not options["dry_run"]:
                    revoke_all(step, user=None, now=timezone.now())
                revoked += len(step)
                progress.show(f"{revoked} revoked")
        self._sum_up(revoked, options)
        known = set(links.values_list("code", flat=True)) if options["codes"] else set()
        unknown = [code for code in options["codes"] if code not in known]
        for code in unknown:
            self.stderr.write(self.style.ERROR(f"{codes.shortened(code)}: No such link."))
        if unknown:
            raise CommandError(f"{len(unknown)} could not be found.")

    def _links(self, options: dict[str, Any]) -> DirectLinkQuerySet:
        """Return the chosen links, including those whose label has another Unicode spelling."""
        described = [options[name] is not None for name in ("owner", "file", "label")]
        if bool(options["codes"]) == any(described):
            raise CommandError("Specify links by CODE, or by --owner, --file and --label.")
        links: DirectLinkQuerySet = DirectLink.objects.all()
        if options["codes"]:
            return links.filter(code__in=filter(codes.is_well_formed, options["codes"]))
        if options["owner"] is not None:
            links = links.filter(file__owner=owner_named(options["owner"]))
        if (path := options["file"]) is not None:
            if options["owner"] is None:
                raise CommandError("--file requires --owner.")
            links = links.at_path(path)
        if options["label"] is not None:
            links = links.filter(label=options["label"])
        return links

    def _ask(self, links: DirectLinkQuerySet, options: dict[str, Any]) -> None:
        """Raise CommandError if the user does not confirm."""
        if sys.stdin.isatty():
            number = sum(map(len, _standing(links.only("label"), options)))
            if not confirmed(f"Revoke {number} links for good?", self.stderr):
                raise CommandError("Nothing was revoked.")

    def _sum_up(self, revoked: int, options: dict[str, Any]) -> None:
        summary = dry(f"Links: {revoked} revoked.", dry_run=options["dry_run"])
        self.stdout.write(self.style.SUCCESS(summary))


def _standing(links: DirectLinkQuerySet, options: dict[str, Any]) -> Iterator[list[DirectLink]]:
    """Yield those of ``links`` that are not revoked, in batches."""
    label = options["label"]
    for step in in_batches(links.filter(revoked_at=None)):
        # A database may take "News" for "news".
        yield [link for link in step if label is None or link.label == label]
