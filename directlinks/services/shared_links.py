"""Reusable links: one for each file, given to all users who ask for a link without limits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, connections

from directlinks import signals
from directlinks.conf import conf
from directlinks.core.codes import may_repeat
from directlinks.models import DirectLink, File
from directlinks.models.links import new_codes
from directlinks.services.announcing import announce
from directlinks.sql.batches import NewLinks
from directlinks.sql.choice import batches_of

# A round is repeated where a code was taken or a file vanished in between.
_ROUNDS = 3


def shared_links(files: Collection[File], *, created_by: Any) -> dict[int, DirectLink]:
    """Return the reusable link of each of ``files``, by the file's key.

    It is made where there is none.
    """
    links = _reusable_links(files)
    return links | make_shared_links(_without(links, files), created_by=created_by).links


class SharedLinks(NamedTuple):
    """Links by the keys of their files, and the keys of those files whose link was made here."""

    links: dict[int, DirectLink]
    new: set[int]


def make_shared_links(files: Collection[File], *, created_by: Any) -> SharedLinks:
    """Return the same for ``files`` that had none a moment ago.

    The unique index decides who makes it: all who ask at once get the same one. Files that no
    longer exist, or are in the trash, are left out where they have none. Nothing is read before it
    is written inside a transaction, and rows are written in the order of their files, so concurrent
    callers wait for each other at most.
    """
    links: dict[int, DirectLink] = {}
    missing = sorted(files, key=attrgetter("id"))
    drawn: set[str] = set()
    rounds = _ROUNDS
    while rounds and missing:
        rounds -= 1
        links.update(_made(missing, created_by, drawn, is_last=not rounds))
        links.update(_reusable_links(_without(links, missing)))
        missing = _without(links, missing)
        gone = vanished(missing)
        missing = [file for file in missing if file.id not in gone]
    new = {key for key, link in links.items() if link.code in drawn}
    if new:
        announce(signals.created, links=[links[key] for key in new], user=created_by)
    return SharedLinks(links, new)


def _made(
    files: Sequence[File], created_by: Any, drawn: set[str], *, is_last: bool
) -> dict[int, DirectLink]:
    """The links that were made in one round, as far as the database tells; their codes are drawn.

    None, if another request interfered and there is another round.
    """
    codes = new_codes(len(files))
    drawn.update(codes)
    wanted = NewLinks(
        files=files,
        codes=codes,
        shared={"created_by": created_by},
        code_may_be_used=may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET),
    )
    try:
        made = batches_of(DirectLink).make(wanted)
    except (IntegrityError, OperationalError):  # a file is gone; a deadlock with one who revokes
        # The caller's transaction is spoilt: only the caller can begin it again.
        if is_last or connections[DirectLink.objects.db].in_atomic_block:
            raise
        made = []
    return {link.file_id: link for link in made}


def _without(links: Mapping[int, object], files: Iterable[File]) -> list[File]:
    return [file for file in files if file.id not in links]


def _reusable_links(files: Collection[File]) -> dict[int, DirectLink]:
    if not files:
        return {}
    wanted = {file.id: file for file in files}
    found = DirectLink.objects.reusable().filter(file__in=list(wanted))
    connection = connections[found.db]
    if connection.vendor == "mysql" and connection.in_atomic_block:
        # Under REPEATABLE READ only a reading that locks sees what others have made meanwhile.
        found = found.select_for_update()
    links = {}
    for link in found:
        link.file = wanted[link.file_id]
        if link.name == link.file.name:
            links[link.file_id] = link
    return links


def vanished(files: Collection[File]) -> set[int]:
    """The keys of those ``files`` that were deleted or trashed since they were found."""
    if not files:
        return set()
    keys = {file.id for file in files}
    live = File.objects.live().filter(pk__in=keys)
    return keys - set(live.values_list("pk", flat=True))
