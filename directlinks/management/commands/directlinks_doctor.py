"""``manage.py directlinks_doctor``: find links that no longer work as expected."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Protocol

from django.core.management.base import OutputWrapper
from django.core.management.color import Style
from django.utils import timezone

from directlinks.management.base import Progress, StrictCommand, days, interruptible, printable
from directlinks.services.diagnostics import Finding, Kind, examine
from directlinks.services.probing import MOST_REQUESTS, Probed, probe
from directlinks.storage import content_storage, has_local_paths

_FOUND = 1
_FAILED = 2  # as argparse has it

_BYTES = Kind.BYTES_MISSING
_UNUSED_FOR = timedelta(days=90)


class Command(StrictCommand):
    """Find broken links, and probe storages."""

    help = (
        "Checks every link that should open, and reports problems without changing anything. The "
        "exit code is 0 if nothing was found, 1 if something was found, and 2 if the command was "
        "interrupted or got a wrong option."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            metavar="KIND",
            action="append",
            choices=[kind.value for kind in Kind],
            help=f"check only for this; may be repeated: {', '.join(kind.value for kind in Kind)}",
        )
        parser.add_argument(
            "--days",
            metavar="NUMBER",
            type=days,
            default=_UNUSED_FOR,
            help=f"after how many days a link counts as never used (default: {_UNUSED_FOR.days})",
        )
        parser.add_argument(
            "--remote",
            action="store_true",
            help="check files in remote storages too, by one request for each",
        )
        parser.add_argument(
            "--probe",
            action="store_true",
            help="check no links, but fetch one file of each storage as a visitor would, by up "
            f"to {MOST_REQUESTS} requests",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["probe"]:
            self._probe(as_json=options["json"])
            return
        kinds = [Kind(name) for name in options["only"] or [kind.value for kind in Kind]]
        if options["remote"] and _BYTES in kinds and Kind.UNREADABLE not in kinds:
            kinds.append(Kind.UNREADABLE)  # of a content that cannot be asked for nothing is known
        asks = options["remote"] or has_local_paths(content_storage())
        summary = Summary(dict.fromkeys(kinds, 0), bytes_checked=asks and _BYTES in kinds)
        report: Report
        if options["json"]:
            report = JSONReport(self.stdout)
            progress = Progress(self.stderr, data=self.stdout)
        else:
            report = TextReport(self.stdout, self.style)
            progress = Progress(self.stdout)
        with interruptible(progress, lambda: None, returncode=_FAILED):
            report.begin()
            for step in examine(
                now=timezone.now(),
                unused_for=options["days"],
                kinds=kinds,
                ask_remote=options["remote"],
            ):
                for finding in step.findings:
                    progress.clear()
                    report.add(finding)
                    summary.counts[finding.kind] += 1
                summary.links += step.links
                progress.show(f"{summary.links} links checked")
        report.end(summary)
        if any(summary.counts.values()):
            sys.exit(_FOUND)

    def _probe(self, *, as_json: bool) -> None:
        probes = []
        for probed in probe():
            probes.append(probed)
            if not as_json:
                _tell(probed, self.stdout, self.style)
        if as_json:
            fields = [{**asdict(one), "requests": one.requests} for one in probes]
            self.stdout.write(json.dumps({"storages": fields}))
        if any(one.faults for one in probes):
            sys.exit(_FOUND)


@dataclass(slots=True)
class Summary:
    """Number of links checked, and of findings of each requested kind."""

    counts: dict[Kind, int]
    bytes_checked: bool
    links: int = 0


class Report(Protocol):
    """A report of findings."""

    def begin(self) -> None: ...
    def add(self, finding: Finding) -> None: ...
    def end(self, summary: Summary) -> None: ...


class TextReport:
    """A line for each finding, for people."""

    def __init__(self, out: OutputWrapper, style: Style) -> None:
        self._out = out
        self._style = style

    def begin(self) -> None:
        """Write nothing before the findings."""

    def add(self, finding: Finding) -> None:
        place = f"{finding.owner}: {finding.path}"
        why = f"  ({finding.detail})" if finding.detail else ""
        self._out.write(printable(f"{finding.kind.value}  {finding.code}  {place}{why}"))

    def end(self, summary: Summary) -> None:
        counts = ", ".join(f"{number} {kind.value}" for kind, number in summary.counts.items())
        style = self._style.WARNING if any(summary.counts.values()) else self._style.SUCCESS
        self._out.write(style(f"Links: {summary.links} checked, {counts}."))
        if _BYTES in summary.counts and not summary.bytes_checked:
            self._out.write(
                "Remote storages were not checked for missing contents. Use --remote to check them."
            )


class JSONReport:
    """One object, written as it grows: the findings of a large site are never all in memory."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._before = ""

    def begin(self) -> None:
        self._out.write('{"findings": [', ending="")

    def add(self, finding: Finding) -> None:
        fields = {**asdict(finding), "kind": finding.kind.value}
        self._out.write(f"{self._before}\n  {json.dumps(fields)}", ending="")
        self._before = ","

    def end(self, summary: Summary) -> None:
        rest = {
            "counts": {kind.value: number for kind, number in summary.counts.items()},
            "links": summary.links,
            "bytes_checked": summary.bytes_checked,
        }
        self._out.write(f"\n], {json.dumps(rest)[1:]}")


def _tell(probed: Probed, out: OutputWrapper, style: Style) -> None:
    """Write a line for each fault of a storage, and one for the storage."""
    for fault in probed.faults:
        out.write(printable(f"{fault.kind}  {probed.alias}: {fault.message} {fault.cure}"))
    if probed.skipped is not None:
        out.write(f"Storage {probed.alias}: {probed.skipped} does not redirect visitors to it.")
        return
    fetched = "a name without content" if probed.path is None else printable(probed.path)
    color = style.WARNING if probed.faults else style.SUCCESS
    counts = f"requests: {probed.requests}, faults: {len(probed.faults)}"
    out.write(color(f"Storage {probed.alias}: {fetched} asked for; {counts}."))
