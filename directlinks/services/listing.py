"""Listing the links that a user may manage, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.core import signing
from django.db.models import F, Max, Min, Q, Sum

from directlinks.core import codes, paths
from directlinks.core.errors import InvalidParameters, NotYourLink
from directlinks.core.links import LinkState
from directlinks.core.uris import FileURI
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.policies import Policy
from directlinks.querysets import DirectLinkQuerySet, is_everything
from directlinks.services.locating import space_keys

ORDERS = {
    "created_at": "created_at",
    "name": "name",
    "downloaded": "downloads",
    "last_opened_at": "last_opened_at",
    "expires_at": "expires_at",
}
"""What links may be ordered by, as the API calls it, and the column."""

# An answer without pages must end somewhere, even if every request makes new links.
_MOST_OF_A_FILE = 1000

_TIMES = {"created_at", "last_opened_at", "expires_at"}
_signer = signing.Signer(salt="directlinks.services.listing")


@dataclass(frozen=True, slots=True)
class LinkFilters:
    """Which links: all conditions hold together, and None is none.

    ``uri`` names a file, or a folder for all that is below it. ``state`` None is every state but
    revoked. ``label`` is a part of the label, in any case. ``created_before`` is not included.
    """

    uri: FileURI | None = None
    state: LinkState | None = None
    label: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A key of ORDERS and a direction; links without a value come last in either direction."""

    by: str = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Links of a page; ``next_token`` leads to the page that follows, None on the last one."""

    links: list[DirectLink]
    next_token: str | None


def list_direct_links(
    *,
    user: Any,
    policy: Policy,
    filters: LinkFilters,
    order: Order,
    size: int,
    token: str | None,
    now: datetime,
) -> Page:
    """Return a page of up to ``size`` links that ``user`` may manage, with their files.

    One statement. A page begins after the last link of the one before, even if that has moved, so
    what comes and goes meanwhile neither repeats nor hides another link. Raise InvalidParameters if
    ``token`` does not come from a page in this order.
    """
    links: DirectLinkQuerySet = _chosen(
        DirectLink.objects.may_lag().with_file(), filters, user, now
    )
    files = policy.filter(user, File.objects.all())
    if not is_everything(files):
        links = links.filter(file__in=files)
    if token is not None:
        links = links.filter(_after(token, order))
    column = F(ORDERS[order.by])
    ordered = (
        column.desc(nulls_last=_may_be_null(order))
        if order.descending
        else column.asc(nulls_last=_may_be_null(order))
    )
    found = list(links.order_by(ordered, "-pk" if order.descending else "pk")[: size + 1])
    page = found[:size]
    return Page(page, _token(page[-1], order) if len(found) > size else None)


def links_of(file: File) -> list[DirectLink]:
    """Return the unrevoked links of ``file``, oldest first; of very many only the newest."""
    newest = DirectLink.objects.filter(file=file, revoked_at=None).order_by("-pk")[:_MOST_OF_A_FILE]
    links = list(newest)[::-1]
    for link in links:
        link.file = file
    return links


class Folder(NamedTuple):
    """What is known of a folder, which is there only because of the files in it."""

    owner: Any
    path: str
    created_at: datetime
    updated_at: datetime
    size: int


def folder_at(owner: Any, path: str) -> Folder | None:
    """Return the folder ``path`` of the user with the key ``owner``, if it has files. One read."""
    known = File.objects.below(owner, path).aggregate(
        created_at=Min("created_at"), updated_at=Max("updated_at"), size=Sum("size")
    )
    return None if known["created_at"] is None else Folder(owner, path, **known)


def _chosen(
    links: DirectLinkQuerySet, filters: LinkFilters, user: Any, now: datetime
) -> DirectLinkQuerySet:
    if filters.state is None:
        links = links.filter(revoked_at=None)
    else:
        links = links.in_state(filters.state, now)
    if filters.label is not None:
        links = links.filter(label__icontains=filters.label)
    if filters.created_after is not None:
        links = links.filter(created_at__gte=filters.created_after)
    if filters.created_before is not None:
        links = links.filter(created_at__lt=filters.created_before)
    return links if filters.uri is None else _below(links, filters.uri, user)


def _below(links: DirectLinkQuerySet, uri: FileURI, user: Any) -> DirectLinkQuerySet:
    owners = [user.pk] if uri.user is None else space_keys(uri.user)
    can_exist = uri.fs == "my" and (
        not uri.path or paths.fault(uri.path, any_spelling=True) is None
    )
    return links.below(owners[0], uri.path) if owners and can_exist else links.none()


def _after(token: str, order: Order) -> Q:
    """Return the condition for what follows the link that ``token`` was made from."""
    try:
        by, descending, value, key = _signer.unsign_object(token)
    except signing.BadSignature as error:
        raise InvalidParameters("next_token: The token is invalid.") from error
    if (by, descending) != (order.by, order.descending):
        raise InvalidParameters("next_token: The token belongs to another order.")
    column, beyond = ORDERS[by], "lt" if descending else "gt"
    if value is None:
        return Q(**{f"{column}__isnull": True, f"pk__{beyond}": key})
    if by in _TIMES:
        value = as_stored(datetime.fromisoformat(value))
    after = Q(**{f"{column}__{beyond}": value}) | Q(**{column: value, f"pk__{beyond}": key})
    return after | Q(**{f"{column}__isnull": True}) if _may_be_null(order) else after


def _token(link: DirectLink, order: Order) -> str:
    value = getattr(link, ORDERS[order.by])
    if isinstance(value, datetime):
        value = value.isoformat()
    return _signer.sign_object([order.by, order.descending, value, link.pk])


def _may_be_null(order: Order) -> bool | None:
    # Django takes None for "do not say", and an index can only serve an order that does not.
    return DirectLink._meta.get_field(ORDERS[order.by]).null or None


NO_CODE = "Failed to parse object ID"
"""What the protocol says of a text that cannot be a code."""


def get_direct_link(code: str, *, may_lag: bool = False) -> DirectLink:
    """Return the unrevoked link with this code and its file; it may be paused or expired.

    If it ``may_lag``, it may be read from a replica. Raise InvalidParameters if ``code`` is not
    well-formed, NotYourLink if there is no such link.
    """
    if not codes.is_well_formed(code):
        raise InvalidParameters(NO_CODE)
    links = DirectLink.objects.with_file().filter(code=code, revoked_at=None)
    link: DirectLink | None = (links.may_lag() if may_lag else links).first()
    if link is None or link.code != code:
        raise NotYourLink
    return link
