"""Creating direct links: many URIs in, a link or an error for each out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError

from directlinks.conf import conf
from directlinks.core import uris
from directlinks.core.batch import Batch
from directlinks.core.errors import (
    BatchAboveCeiling,
    DirectLinksError,
    LinksSwitchedOff,
    PathNotExist,
    TooManyURIs,
    URIError,
)
from directlinks.models import DirectLink, File
from directlinks.policies import Policy
from directlinks.services.locating import locate

# A round is repeated where a code was taken or a file vanished in between.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A link, and the URI of its file as the asker would write it."""

    link: DirectLink
    file_url: str


def create_direct_links(*, user: Any, texts: Sequence[str], policy: Policy) -> Batch[IssuedLink]:
    """A link for each file that ``texts`` name as URIs; a file that has one keeps it.

    The batch has an item for each URI that got a link, in the order asked, also where two name the
    same file. Raises BatchAboveCeiling, LinksSwitchedOff or TooManyURIs for the number of URIs and
    UnknownURI where one of them is no file URI; then nothing was created.
    """
    _check_number(len(texts))
    asked = [uris.parse(text) for text in texts]
    targets = locate(asked, user=user, policy=policy)
    files = {target.pk: target for target in targets.values() if isinstance(target, File)}
    links = links_for(files.values(), created_by=user)
    vanished = _vanished([file for key, file in files.items() if key not in links])
    batch: Batch[IssuedLink] = Batch()
    for uri in asked:
        target = targets[uri]
        if isinstance(target, URIError):
            batch.errors[uri.canonical] = target
        elif target.pk not in links:
            batch.errors[uri.canonical] = (
                PathNotExist(element=target.name)
                if target.pk in vanished
                else DirectLinksError(cause="no free code was found for a link")
            )
        else:
            batch.items.append(IssuedLink(links[target.pk], uri.file_url()))
    return batch


def links_for(files: Collection[File], *, created_by: Any) -> dict[int, DirectLink]:
    """The reusable link of each of ``files``, by the file's key; made where there is none.

    The unique index decides who makes it: all who ask at once get the same one. Files that no
    longer exist are left out. Nothing is read before it is written inside a transaction, and rows
    are written in the order of their files, so concurrent callers wait for each other at most.
    """
    wanted = {file.pk: file for file in files}
    links = _reusable_links(wanted)
    rounds = _ROUNDS
    while rounds and (missing := [f for key, f in sorted(wanted.items()) if key not in links]):
        rounds -= 1
        try:
            DirectLink.objects.bulk_create(
                [
                    DirectLink(
                        file=file, name=file.name, reuse_name=file.name, created_by=created_by
                    )
                    for file in missing
                ],
                ignore_conflicts=True,
            )
        except IntegrityError:  # a file is gone; the others still want their links
            left = dict(File.objects.in_bulk(list(wanted)))
            rounds += len(left) < len(wanted)
            wanted = left
        except OperationalError:  # a deadlock with somebody who revokes links of these files
            if not rounds:
                raise
        links = _reusable_links(wanted)
    return links


def _vanished(files: Collection[File]) -> set[int]:
    """The keys of those ``files`` that were deleted or trashed since they were found."""
    if not files:
        return set()
    keys = {file.pk for file in files}
    return keys - set(File.objects.live().filter(pk__in=keys).values_list("pk", flat=True))


def _reusable_links(files: dict[int, File]) -> dict[int, DirectLink]:
    if not files:
        return {}
    found = DirectLink.objects.reusable().filter(file__in=list(files))
    return {link.file_id: link for link in found if link.name == files[link.file_id].name}


def _check_number(number: int) -> None:
    if number > conf.MAX_BATCH_SIZE:
        raise BatchAboveCeiling(conf.MAX_BATCH_SIZE)
    if conf.BATCH_SIZE == 0:
        raise LinksSwitchedOff
    if number > conf.BATCH_SIZE:
        raise TooManyURIs
