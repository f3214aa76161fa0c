"""``manage.py demo``: the whole of directlinks at work, from an empty database on."""

from argparse import ArgumentParser
from collections.abc import Mapping
from time import sleep
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.urls import reverse
from django.utils import timezone

from example_project.population import ADMIN, ALICE, BOB, Person, settle
from example_project.samples import alices_files, bobs_files
from example_project.server import only_errors_logged, serving
from example_project.showcase import show_examples
from example_project.tour import take_tour
from example_project.transcript import StepFailed, Transcript

Spaces = Mapping[Person, Mapping[str, bytes]]

_INTERRUPTED = 130  # what shells report of a program that Ctrl-C ended


class Command(BaseCommand):
    help = (
        "Makes people and files, serves them on a free local port, shows over HTTP how a link is "
        "made, followed, resumed and revoked, and goes on serving. It can be run again and again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            help="stop after the last step; the exit code is 0 only if every step held",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (self.stdout.isatty() or options["force_color"]):
            self.style = no_style()
        spaces: Spaces = {ADMIN: {}, ALICE: alices_files(), BOB: bobs_files()}
        try:
            with only_errors_logged():
                call_command("migrate", verbosity=0, interactive=False)
                for person, files in spaces.items():
                    settle(person, files)
                show_examples(timezone.now())
                with serving() as site:
                    self._introduce(site, spaces)
                    link = take_tour(Transcript(site, self._say, self.style), spaces[ALICE])
                    self._say(f"\n{self.style.SUCCESS('Every step held.')}")
                    if not options["once"]:
                        self._serve_on(site, link)
        except StepFailed as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=_INTERRUPTED) from None

    def _introduce(self, site: str, spaces: Spaces) -> None:
        self._say(self.style.MIGRATE_HEADING(f"A site with direct links, at {site}"))
        for person, files in spaces.items():
            self._say(f"\n   {person.name:<8}password {person.password:<13}{person.role}")
            for path, data in files.items():
                self._say(f"           {len(data):>9,} bytes  {path}")

    def _serve_on(self, site: str, link: str) -> None:
        """Until Ctrl-C."""
        self._say(f"\n{self.style.MIGRATE_HEADING('Now it is your turn')}\n")
        self._say(f"   A link      {link}")
        self._say(f"   The admin   {site}{reverse('admin:index')}")
        self._say(f"   Log in as   {ADMIN.name}, password {ADMIN.password}")
        try:
            self._say("\nCtrl-C to stop.")
            while True:
                sleep(60)
        except KeyboardInterrupt:
            self._say("\nStopped.")

    def _say(self, line: str) -> None:
        """Show ``line`` at once, and what the screen has no characters for as escapes."""
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        self.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))
        self.stdout.flush()
