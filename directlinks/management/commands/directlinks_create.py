"""``manage.py directlinks_create OWNER PATH…``: create links to files of an owner."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from directlinks import addresses
from directlinks.management.base import (
    OWNER,
    StrictCommand,
    add_dry_run,
    datetime_of,
    explained,
    life,
    owner_named,
    printable,
    words,
)
from directlinks.models import DirectLink
from directlinks.services.creating import issue_links, linkable_files


class Command(StrictCommand):
    """Create links."""

    help = (
        "Prints a link to each file at PATH in the space of OWNER. A file that has a reusable link "
        "keeps it, so you can run this again; limits, a label and --dedicated create a "
        "dedicated link each time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("owner", metavar="OWNER", help=OWNER)
        parser.add_argument(
            "paths", metavar="PATH", nargs="+", help="the whole path in the space, not a folder"
        )
        ends = parser.add_mutually_exclusive_group()
        ends.add_argument("--expires-in", metavar="TIME", type=life, help="such as 90m, 12h or 7d")
        ends.add_argument(
            "--expires-at", metavar="DATETIME", type=datetime_of, help="such as 2026-12-31T18:00"
        )
        parser.add_argument("--max-downloads", metavar="NUMBER", type=int, help="download limit")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="protect the link with the password in the first line of standard input",
        )
        parser.add_argument(
            "--ask-first",
            action="store_true",
            default=None,
            help="show visitors a page with a button; only pressing it counts as a download",
        )
        parser.add_argument("--label", type=words, help="shown only to users who manage the link")
        parser.add_argument(
            "--dedicated", action="store_true", help="create a dedicated link, which is not reused"
        )
        add_dry_run(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        owner = owner_named(options["owner"])
        paths = list(dict.fromkeys(options["paths"]))
        files, faults = linkable_files(owner, paths)
        now = timezone.now()
        try:
            links = issue_links(
                list(files.values()),
                limits=self._limits(options),
                dedicated=options["dedicated"],
                limited_as=owner,
                created_by=None,
                now=now,
                dry_run=options["dry_run"],
            )
        except ValidationError as error:
            raise CommandError(explained(error)) from error
        made = {path: links[file.pk] for path, file in files.items() if file.pk in links}
        for path in paths:
            if path in made:
                self._print(path, made[path], dry_run=options["dry_run"])
            else:
                fault = faults.get(path, "The file has vanished.")
                self.stderr.write(self.style.ERROR(printable(f"{path}: {fault}")))
        if len(made) < len(paths):
            raise CommandError(f"{len(paths) - len(made)} have no link.")

    def _limits(self, options: dict[str, Any]) -> dict[str, Any]:
        names = ("max_downloads", "ask_first", "label", "expires_at")
        limits = {name: options[name] for name in names}
        if options["expires_in"] is not None:
            limits["expires_at"] = timezone.now() + options["expires_in"]
        if options["password_stdin"]:
            limits["password"] = sys.stdin.readline().rstrip("\r\n")
            if not limits["password"]:
                raise CommandError("Standard input has no password.")
        return {name: value for name, value in limits.items() if value is not None}

    def _print(self, path: str, link: DirectLink, *, dry_run: bool) -> None:
        """Print the link alone in a pipe, and the file before it on a terminal."""
        if dry_run and link._state.adding:
            self.stdout.write(printable(f"{path}: would be created"))
            return
        address = addresses.site_address(link.get_absolute_url())
        self.stdout.write(f"{printable(path)}  {address}" if self.stdout.isatty() else address)
