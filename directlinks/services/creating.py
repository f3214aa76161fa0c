"""Creating direct links: many URIs in, a link or an error for each out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, connections
from django.utils import timezone

from directlinks import signals
from directlinks.conf import conf
from directlinks.core import paths, uris
from directlinks.core.codes import may_repeat
from directlinks.core.envelope import Batch
from directlinks.core.errors import (
    BatchAboveCeiling,
    DirectLinksError,
    LinksSwitchedOff,
    PathNotExist,
    TooManyURIs,
    URIError,
)
from directlinks.models import DirectLink, File, FormerCode
from directlinks.models.links import new_codes
from directlinks.policies import Policy
from directlinks.services.limits import is_reusable, limits_of_new
from directlinks.services.locating import locate
from directlinks.services.sending import send_on_commit
from directlinks.sql import get_batch_queries
from directlinks.sql.batches import FoundLink, NewLinks
from directlinks.storage import lacks_bytes
from directlinks.users import owner_key


class IssuedLink(NamedTuple):
    """A link, as far as it was needed, and the URI of its file as the user would write it.

    ``code`` and ``name`` of the ``source`` are there in any case. ``is_new`` if the request made
    the link, or would have made it in a dry run.
    """

    source: DirectLink | FoundLink
    file_url: str
    is_new: bool

    @property
    def link(self) -> DirectLink:
        source: Any = self.source
        link: DirectLink = source.instance() if self._is_at_hand else source
        return link

    @property
    def is_made(self) -> bool:
        """False in a dry run if the link would be new."""
        source: Any = self.source
        return self._is_at_hand or not source._state.adding

    @property
    def _is_at_hand(self) -> bool:
        return isinstance(self.source, FoundLink)


def create_direct_links(
    *,
    user: Any,
    texts: Sequence[str],
    policy: Policy,
    limits: Mapping[str, Any] | None = None,
    reuse: bool = True,
    dry_run: bool = False,
) -> Batch[IssuedLink]:
    """Return a link for each file that ``texts`` name as URIs; a file that has one keeps it.

    With ``limits`` (see ``apply_limits``), of the user's or of the site, and without ``reuse``,
    each file gets a dedicated link instead. In a dry run nothing is written: links that would be
    new are not saved. The batch has an item for each URI that got a link, in the order asked, also
    if two name the same file. Raise BatchAboveCeiling, LinksSwitchedOff or TooManyURIs for the
    number of URIs, UnknownURI if one of them is no file URI, and ValidationError if the limits are
    wrong; then nothing was created.
    """
    _check_number(len(texts))
    requested = [uris.parse(text) for text in texts]
    columns = limits_of_new(limits or {}, user=user, now=timezone.now())
    reusable = is_reusable(columns, reuse=reuse)
    targets, at_hand = locate(requested, user=user, policy=policy)
    files = {target.id: target for target in targets if isinstance(target, File)}
    links: dict[int, Any]
    if dry_run:
        links = links_to_create(files.values(), columns=columns, reusable=reusable)
        new = {key for key, link in links.items() if link._state.adding}
    elif reusable:
        missing = [file for file in files.values() if file.id not in at_hand]
        found, new = create_reusable_links(missing, created_by=user)
        links = at_hand | found
    else:
        links = dict(create_dedicated_links(files.values(), columns=columns, created_by=user))
        new = set(links)
    gone = vanished([file for file in files.values() if file.id not in links])
    batch: Batch[IssuedLink] = Batch()
    for uri, target in zip(requested, targets, strict=True):
        if isinstance(target, URIError):
            batch.errors[uri.canonical] = target
        elif (link := links.get(target.id)) is not None:
            batch.items.append(IssuedLink(link, uri.file_url(), target.id in new))
        elif target.id in gone:
            batch.errors[uri.canonical] = PathNotExist(element=target.name)
        else:
            batch.errors[uri.canonical] = DirectLinksError(
                cause="no free code was found for a link"
            )
    return batch


def whole_links(issued: Iterable[IssuedLink]) -> dict[str, DirectLink]:
    """Return all columns of links that were issued, by their codes. One read.

    Links of a dry run are not saved, and the files of others may have been deleted meanwhile.
    """
    links = {one.source.code: one for one in issued}
    made = [code for code, one in links.items() if one.is_made]
    stored = DirectLink.objects.with_file().filter(code__in=made)
    return {code: one.link for code, one in links.items() if not one.is_made} | {
        link.code: link for link in stored
    }


def _check_number(number: int) -> None:
    if number > conf.MAX_BATCH_SIZE:
        raise BatchAboveCeiling(conf.MAX_BATCH_SIZE)
    if conf.BATCH_SIZE == 0:
        raise LinksSwitchedOff
    if number > conf.BATCH_SIZE:
        raise TooManyURIs


class Linkable(NamedTuple):
    """What can have a link, by path, and why the other paths have none, in a sentence each."""

    files: dict[str, File]
    faults: dict[str, str]


def linkable_files(owner: Any, requested: Sequence[str]) -> Linkable:
    """Return the live files of ``owner`` with contents at ``requested`` paths, in any spelling.

    At most two reads.
    """
    faults = {
        path: fault
        for path in requested
        if (fault := paths.fault(path, any_spelling=True)) is not None
    }
    possible = [(owner_key(owner), path) for path in requested if path not in faults]
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
    dedicated: bool,
    limited_as: Any,
    created_by: Any,
    now: datetime,
    dry_run: bool = False,
) -> dict[int, DirectLink]:
    """Return a link to each of ``files``, by the file's key.

    Without ``limits`` it is the reusable one, unless ``dedicated``. Else, or if the site limits the
    links of the user ``limited_as`` by default, each file gets a dedicated one. In a dry run, those
    that would be made are not saved. Raise ValidationError for wrong limits.
    """
    columns = limits_of_new(limits, user=limited_as, now=now)
    reusable = is_reusable(columns, reuse=not dedicated)
    if dry_run:
        return links_to_create(files, columns=columns, reusable=reusable)
    if reusable:
        return get_reusable_links(files, created_by=created_by)
    return create_dedicated_links(files, columns=columns, created_by=created_by)


# A round is repeated if a code was taken or a file vanished in between.
_ROUNDS = 3


def get_reusable_links(files: Collection[File], *, created_by: Any) -> dict[int, DirectLink]:
    """Return the reusable link of each of ``files``, by the file's key.

    It is made where there is none.
    """
    links = _reusable_links(files)
    return links | create_reusable_links(_without(links, files), created_by=created_by).links


class ReusableLinks(NamedTuple):
    """Links by the keys of their files, and the keys of those files whose link was made here."""

    links: dict[int, DirectLink]
    new: set[int]


def create_reusable_links(files: Collection[File], *, created_by: Any) -> ReusableLinks:
    """Return the reusable link of each of ``files``, which had none a moment ago.

    The unique index decides which of concurrent requests makes it: all get the same link. Files
    that no longer exist, or are in the trash, are left out if they have none. Nothing is read
    before it is written inside a transaction, and rows are written in the order of their files, so
    deadlocks cannot occur.
    """
    links: dict[int, DirectLink] = {}
    missing = sorted(files, key=attrgetter("id"))
    drawn: set[str] = set()
    rounds = _ROUNDS
    while rounds and missing:
        rounds -= 1
        links.update(_insert_reusable_links(missing, created_by, drawn, is_last=not rounds))
        links.update(_reusable_links(_without(links, missing)))
        missing = _without(links, missing)
        gone = vanished(missing)
        missing = [file for file in missing if file.id not in gone]
    new = {key for key, link in links.items() if link.code in drawn}
    if new:
        send_on_commit(signals.created, links=[links[key] for key in new], user=created_by)
    return ReusableLinks(links, new)


def _insert_reusable_links(
    files: Sequence[File], created_by: Any, drawn: set[str], *, is_last: bool
) -> dict[int, DirectLink]:
    """Return the links that one round inserted, as far as the database tells, by file key.

    The codes are added to ``drawn``. Return none if another request interfered and there is another
    round.
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
        made = get_batch_queries().make(wanted)
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
    """Return the keys of ``files`` that were deleted or trashed since they were found."""
    if not files:
        return set()
    keys = {file.id for file in files}
    live = File.objects.live().filter(pk__in=keys)
    return keys - set(live.values_list("pk", flat=True))


_TRIES = 3


def create_dedicated_links(
    files: Collection[File], *, columns: Mapping[str, Any], created_by: Any
) -> dict[int, DirectLink]:
    """Return a new link to each of ``files`` with the values ``columns``, by the file's key.

    One INSERT, as far as the database takes that many parameters. Files that no longer exist are
    left out, and so are all if no free code was found.
    """
    left = sorted(files, key=lambda file: file.pk)
    for _ in range(_TRIES):
        links = [
            DirectLink(file=file, name=file.name, code=code, created_by=created_by, **columns)
            for file, code in zip(left, unique_codes(len(left)), strict=True)
        ]
        try:
            with DirectLink.objects.atomic():
                DirectLink.objects.bulk_create(links)
        except IntegrityError:  # a code was taken, or a file is gone: the others want their links
            alive = File.objects.in_bulk([file.pk for file in left])
            left = [file for file in left if file.pk in alive]
        else:
            if links:
                send_on_commit(signals.created, links=links, user=created_by)
            return {link.file_id: link for link in links}
    return {}


def links_to_create(
    files: Collection[File], *, columns: Mapping[str, Any], reusable: bool
) -> dict[int, DirectLink]:
    """Return the link that each of ``files`` would get, by its key; new ones are not saved.

    If ``reusable``, that is the reusable one, if there is one.
    """
    existing = DirectLink.objects.reusable().filter(file__in=files) if reusable else []
    found = {(link.file_id, link.name): link for link in existing}
    links = {}
    for file in files:
        link = found.get((file.pk, file.name)) or DirectLink(name=file.name, **columns)
        link.file = file
        links[file.pk] = link
    return links


_DRAWS = 100


def unique_codes(number: int) -> list[str]:
    """Return ``number`` new codes that no link has or had.

    Two reads for each draw, and only if codes are so short that they may repeat. A code that
    another link gets meanwhile is left to the unique index. Raise DirectLinksError if nearly all
    codes were used.
    """
    drawn = new_codes(number)
    if not may_repeat(conf.CODE_LENGTH, conf.CODE_ALPHABET):
        return drawn
    for _ in range(_DRAWS):
        used = _used(drawn)
        if not used:
            return drawn
        others = iter(new_codes(sum(code in used for code in drawn)))
        drawn = [next(others) if code in used else code for code in drawn]
    raise DirectLinksError(cause="no free code was found for a link")


def _used(codes: list[str]) -> set[str]:
    used: set[str] = set()
    for model in (DirectLink, FormerCode):
        rows = model._default_manager.filter(code__in=codes)
        used.update(rows.values_list("code", flat=True))
    return used
