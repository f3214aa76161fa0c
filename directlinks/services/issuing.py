"""Issuing links in the name of the site: no policy is asked, its limits hold all the same."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from directlinks.conf import conf
from directlinks.core import paths
from directlinks.models import DirectLink, File
from directlinks.services.creating import links_for
from directlinks.services.limits import limits_of_new
from directlinks.services.minting import mint_links, to_be_made
from directlinks.storage import lacks_bytes


def linkable_files(owner: Any, asked: Sequence[str]) -> dict[str, File]:
    """The live files of ``owner`` at the paths ``asked`` that have bytes, by path. One read."""
    possible = [path for path in asked if paths.fault(path) is None]
    found = File.objects.at([(owner.pk, path) for path in possible])
    return {file.path: file for file in found if not lacks_bytes(file.content)}


def issue_links(
    files: Sequence[File],
    *,
    limits: Mapping[str, Any],
    new: bool,
    owner: Any,
    now: datetime,
    dry_run: bool = False,
) -> dict[int, DirectLink]:
    """A link to each of ``files``, which are ``owner``'s, by the file's key.

    Without ``limits`` it is the one that everybody gets, unless ``new``. Else, or where the site
    limits the links of ``owner`` by itself, each file gets one more, of its own. In a dry
    run, those that would be made are not saved. Raises ValidationError for wrong limits.
    """
    columns = limits_of_new(limits, user=owner, now=now)
    reuse = conf.REUSE and not new and not any(columns.values())
    if dry_run:
        return to_be_made(files, columns=columns, reuse=reuse)
    if reuse:
        return links_for(files, created_by=None)
    return mint_links(files, columns=columns, created_by=None)
