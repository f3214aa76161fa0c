"""Creating direct links: many URIs in, a link or an error for each out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, connections, router
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.core import uris
from directlinks.core.batch import Batch
from directlinks.core.codes import may_repeat
from directlinks.core.errors import (
    BatchAboveCeiling,
    DirectLinksError,
    LinksSwitchedOff,
    PathNotExist,
    TooManyURIs,
    URIError,
)
from directlinks.models import DirectLink, File
from directlinks.models.links import new_codes
from directlinks.policies import Policy
from directlinks.services.announcing import announce
from directlinks.services.limits import limits_of_new
from directlinks.services.locating import locate
from directlinks.services.minting import mint_links, to_be_made
from directlinks.sql.batches import LinkAtHand, Wanted
from directlinks.sql.choice import batches_of

# A round is repeated where a code was taken or a file vanished in between.
_ROUNDS = 3


class IssuedLink(NamedTuple):
    """A link, as far as it was needed so far, and the URI of its file as the asker would write it.

    ``code`` and ``name`` of the ``source`` are there in any case.
    """

    source: DirectLink | LinkAtHand
    file_url: str

    @property
    def link(self) -> DirectLink:
        source: Any = self.source
        link: DirectLink = source.instance(DirectLink) if self._is_at_hand else source
        return link

    @property
    def is_made(self) -> bool:
        """False in a dry run, where the link would be new."""
        source: Any = self.source
        return self._is_at_hand or not source._state.adding

    @property
    def _is_at_hand(self) -> bool:
        return isinstance(self.source, LinkAtHand)


def create_direct_links(
    *,
    user: Any,
    texts: Sequence[str],
    policy: Policy,
    limits: Mapping[str, Any] | None = None,
    reuse: bool = True,
    dry_run: bool = False,
) -> Batch[IssuedLink]:
    """A link for each file that ``texts`` name as URIs; a file that has one keeps it.

    With ``limits`` (see ``apply_limits``), of the asker's or of the site, and without ``reuse``,
    each file gets a new one instead. In a dry run nothing is written: links that would be new are
    not saved. The batch has an item for each URI that got a link, in the order asked, also where
    two name the same file. Raises BatchAboveCeiling, LinksSwitchedOff or TooManyURIs for the number
    of URIs, UnknownURI where one of them is no file URI and ValidationError where the limits are
    wrong; then nothing was created.
    """
    _check_number(len(texts))
    asked = [uris.parse(text) for text in texts]
    columns = limits_of_new(limits or {}, user=user, now=timezone.now())
    reuse = reuse and conf.REUSE and not any(columns.values())
    targets, at_hand = locate(asked, user=user, policy=policy)
    files = {target.id: target for target in targets if isinstance(target, File)}
    links: dict[int, Any]
    if dry_run:
        links = to_be_made(files.values(), columns=columns, reuse=reuse)
    elif reuse:
        links = at_hand | _new_links(_without(at_hand, files.values()), created_by=user)
    else:
        links = dict(mint_links(files.values(), columns=columns, created_by=user))
    vanished = _vanished(_without(links, files.values()))
    batch: Batch[IssuedLink] = Batch()
    for uri, target in zip(asked, targets, strict=True):
        if isinstance(target, URIError):
            batch.errors[uri.canonical] = target
        elif (link := links.get(target.id)) is not None:
            batch.items.append(IssuedLink(link, uri.file_url()))
        elif target.id in vanished:
            batch.errors[uri.canonical] = PathNotExist(element=target.name)
        else:
            batch.errors[uri.canonical] = DirectLinksError(
                cause="no free code was found for a link"
            )
    return batch


def links_for(files: Collection[File], *, created_by: Any) -> dict[int, DirectLink]:
    """The reusable link of each of ``files``, which it has at hand, by the file's key.

    It is made where there is none.
    """
    links = _reusable_links(files)
    return links | _new_links(_without(links, files), created_by=created_by)


def _new_links(files: Collection[File], *, created_by: Any) -> dict[int, DirectLink]:
    """The same for ``files`` that had none a moment ago.

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
        gone = _vanished(missing)
        missing = [file for file in missing if file.id not in gone]
    if made := [link for link in links.values() if link.code in drawn]:
        announce(signals.created, links=made, user=created_by)
    return links


def _made(
    files: Sequence[File], created_by: Any, drawn: set[str], *, is_last: bool
) -> dict[int, DirectLink]:
    """The links that were made in one round, as far as the database tells; their codes are drawn.

    None, where somebody else was in the way and there is another round.
    """
    codes = new_codes(len(files))
    drawn.update(codes)
    wanted = Wanted(
        files=files,
        codes=codes,
        shared={"created_by": created_by},
        code_may_be_used=may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET),
    )
    try:
        made = batches_of(DirectLink).make(wanted)
    except (IntegrityError, OperationalError):  # a file is gone; a deadlock with one who revokes
        # The caller's transaction is spoilt: only the caller can begin it again.
        if is_last or connections[router.db_for_write(DirectLink)].in_atomic_block:
            raise
        made = []
    return {link.file_id: link for link in made}


def _without(links: Mapping[int, object], files: Iterable[File]) -> list[File]:
    return [file for file in files if file.id not in links]


def _reusable_links(files: Collection[File]) -> dict[int, DirectLink]:
    if not files:
        return {}
    wanted = {file.id: file for file in files}
    using = router.db_for_write(DirectLink)
    found = DirectLink.objects.using(using).reusable().filter(file__in=list(wanted))
    connection = connections[using]
    if connection.vendor == "mysql" and connection.in_atomic_block:
        # Under REPEATABLE READ only a reading that locks sees what others have made meanwhile.
        found = found.select_for_update()
    links = {}
    for link in found:
        link.file = wanted[link.file_id]
        if link.name == link.file.name:
            links[link.file_id] = link
    return links


def _vanished(files: Collection[File]) -> set[int]:
    """The keys of those ``files`` that were deleted or trashed since they were found."""
    if not files:
        return set()
    keys = {file.id for file in files}
    live = File.objects.using(router.db_for_write(File)).live().filter(pk__in=keys)
    return keys - set(live.values_list("pk", flat=True))


def _check_number(number: int) -> None:
    if number > conf.MAX_BATCH_SIZE:
        raise BatchAboveCeiling(conf.MAX_BATCH_SIZE)
    if conf.BATCH_SIZE == 0:
        raise LinksSwitchedOff
    if number > conf.BATCH_SIZE:
        raise TooManyURIs
