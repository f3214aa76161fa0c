"""Creating direct links: many URIs in, a link or an error for each out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

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
from directlinks.services.limits import limits_of_new, may_be_shared
from directlinks.services.locating import locate
from directlinks.services.own_links import links_to_be, make_own_links
from directlinks.services.shared_links import make_shared_links, vanished
from directlinks.sql.batches import LinkAtHand


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
    shared = may_be_shared(columns, wanted=reuse)
    targets, at_hand = locate(asked, user=user, policy=policy)
    files = {target.id: target for target in targets if isinstance(target, File)}
    links: dict[int, Any]
    if dry_run:
        links = links_to_be(files.values(), columns=columns, shared=shared)
    elif shared:
        missing = [file for file in files.values() if file.id not in at_hand]
        links = at_hand | make_shared_links(missing, created_by=user)
    else:
        links = dict(make_own_links(files.values(), columns=columns, created_by=user))
    gone = vanished([file for file in files.values() if file.id not in links])
    batch: Batch[IssuedLink] = Batch()
    for uri, target in zip(asked, targets, strict=True):
        if isinstance(target, URIError):
            batch.errors[uri.canonical] = target
        elif (link := links.get(target.id)) is not None:
            batch.items.append(IssuedLink(link, uri.file_url()))
        elif target.id in gone:
            batch.errors[uri.canonical] = PathNotExist(element=target.name)
        else:
            batch.errors[uri.canonical] = DirectLinksError(
                cause="no free code was found for a link"
            )
    return batch


def _check_number(number: int) -> None:
    if number > conf.MAX_BATCH_SIZE:
        raise BatchAboveCeiling(conf.MAX_BATCH_SIZE)
    if conf.BATCH_SIZE == 0:
        raise LinksSwitchedOff
    if number > conf.BATCH_SIZE:
        raise TooManyURIs
