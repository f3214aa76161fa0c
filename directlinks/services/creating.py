"""Creating direct links: many URIs in, a link or an error for each out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from directlinks.conf import conf
from directlinks.core import uris
from directlinks.core.envelope import Batch
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
from directlinks.services.limits import limits_of_new, may_be_shared
from directlinks.services.locating import locate
from directlinks.services.own_links import links_to_be, make_own_links
from directlinks.services.shared_links import make_shared_links, vanished
from directlinks.sql.batches import LinkAtHand


class IssuedLink(NamedTuple):
    """A link, as far as it was needed so far, and the URI of its file as the asker would write it.

    ``code`` and ``name`` of the ``source`` are there in any case. ``is_new`` if the request made
    the link, or would have made it in a dry run.
    """

    source: DirectLink | LinkAtHand
    file_url: str
    is_new: bool

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
    shared = may_be_shared(columns, wanted=reuse)
    targets, at_hand = locate(asked, user=user, policy=policy)
    files = {target.id: target for target in targets if isinstance(target, File)}
    links: dict[int, Any]
    if dry_run:
        links = links_to_be(files.values(), columns=columns, shared=shared)
        new = {key for key, link in links.items() if link._state.adding}
    elif shared:
        missing = [file for file in files.values() if file.id not in at_hand]
        found, new = make_shared_links(missing, created_by=user)
        links = at_hand | found
    else:
        links = dict(make_own_links(files.values(), columns=columns, created_by=user))
        new = set(links)
    gone = vanished([file for file in files.values() if file.id not in links])
    batch: Batch[IssuedLink] = Batch()
    for uri, target in zip(asked, targets, strict=True):
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
