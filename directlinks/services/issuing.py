"""Issuing links to files at hand: no policy is asked, the limits of the site hold all the same."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from directlinks.core import paths
from directlinks.models import DirectLink, File
from directlinks.services.limits import limits_of_new, may_be_shared
from directlinks.services.own_links import links_to_be, make_own_links
from directlinks.services.shared_links import shared_links
from directlinks.storage import lacks_bytes


class Linkable(NamedTuple):
    """What can have a link, by path, and why the other paths have none, in a sentence each."""

    files: dict[str, File]
    faults: dict[str, str]


def linkable_files(owner: Any, asked: Sequence[str]) -> Linkable:
    """Return the live files of ``owner`` at the paths ``asked``, in any spelling, with contents.

    At most two reads.
    """
    faults = {
        path: fault for path in asked if (fault := paths.fault(path, any_spelling=True)) is not None
    }
    possible = [(owner.pk, path) for path in asked if path not in faults]
    there = {paths.nfc(file.path): file for file in File.objects.at(possible)}
    found = {path: there[paths.nfc(path)] for _, path in possible if paths.nfc(path) in there}
    files = {path: file for path, file in found.items() if not lacks_bytes(file.content)}
    faults |= dict.fromkeys(found.keys() - files.keys(), "Its bytes are gone.")
    missing = [place for place in possible if place[1] not in found]
    folders = File.objects.all().folders_among(missing) if missing else set()
    for place in missing:
        is_folder = place in folders
        faults[place[1]] = (
            "This is a folder: name its files." if is_folder else "There is no such file."
        )
    return Linkable(files, faults)


def issue_links(
    files: Sequence[File],
    *,
    limits: Mapping[str, Any],
    new: bool,
    limited_as: Any,
    created_by: Any,
    now: datetime,
    dry_run: bool = False,
) -> dict[int, DirectLink]:
    """A link to each of ``files``, by the file's key.

    Without ``limits`` it is the reusable one, unless ``new``. Else, or where the site
    limits the links of the user ``limited_as`` by itself, each file gets one more, of its own. In a
    dry run, those that would be made are not saved. Raises ValidationError for wrong limits.
    """
    columns = limits_of_new(limits, user=limited_as, now=now)
    shared = may_be_shared(columns, wanted=not new)
    if dry_run:
        return links_to_be(files, columns=columns, shared=shared)
    if shared:
        return shared_links(files, created_by=created_by)
    return make_own_links(files, columns=columns, created_by=created_by)
