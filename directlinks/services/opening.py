"""Opening direct links, by a code and a name or by the ticket in a temporary URL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from django.core.files.storage import InvalidStorageError
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from directlinks import signals
from directlinks.conf import conf
from directlinks.core import codes, referers, signing
from directlinks.core.codes import is_name_of
from directlinks.core.errors import (
    ConfirmationRequired,
    DirectLinksError,
    LinkNotFound,
    LinkUnknown,
    LinkUsedUp,
    NotForPreviews,
    RefererRefused,
    StorageRefused,
    TicketInvalid,
)
from directlinks.core.links import LinkState, has_download_limit
from directlinks.core.visits import NO_PURPOSES, VisitKind, VisitRequest
from directlinks.counters.base import get_counter
from directlinks.datetimes import day_of, seconds_of
from directlinks.delivery.download import Download, is_passive
from directlinks.delivery.responses import BlockResponse
from directlinks.fields import Content
from directlinks.models import File
from directlinks.services.sending import send_now
from directlinks.sql import get_link_queries
from directlinks.sql.links import ClaimedLink, LinkQueries, LinkRow

# No browser sends a longer one, which would only fill the memory.
_LONGEST = 512


def kind_of(visit: VisitRequest, size: int) -> VisitKind:
    """Return the kind of a visit to a file of ``size`` bytes."""
    said = (visit.method, visit.byte_range, visit.user_agent, visit.referer, *visit.purposes)
    judge = _judge if any(value and len(value) > _LONGEST for value in said) else _kind
    return judge(conf.VISIT_RULE, visit, size, tuple(conf.PREVIEW_AGENTS))


def is_plain(visit: VisitRequest) -> bool:
    """Return True if ``visit`` is a download of any file."""
    return visit.byte_range is None and kind_of(visit, 0) is VisitKind.DOWNLOAD


def is_download(user_agent: str | None) -> bool:
    """Return True if a GET with ``user_agent`` and no more is a download of any file."""
    if user_agent is not None and len(user_agent) > _LONGEST:
        return kind_of(_plain_visit(user_agent), 0) is VisitKind.DOWNLOAD
    return _is_download(conf.VISIT_RULE, user_agent, tuple(conf.PREVIEW_AGENTS))


def _plain_visit(user_agent: str | None) -> VisitRequest:
    return VisitRequest("GET", purposes=NO_PURPOSES, user_agent=user_agent)


@lru_cache(maxsize=4096)
def _is_download(rule: str, user_agent: str | None, preview_agents: tuple[str, ...]) -> bool:
    return _judge(rule, _plain_visit(user_agent), 0, preview_agents) is VisitKind.DOWNLOAD


def _judge(rule: str, visit: VisitRequest, size: int, preview_agents: tuple[str, ...]) -> VisitKind:
    kind: VisitKind = import_string(rule)(visit, size=size, preview_agents=preview_agents)
    return kind


# The rule decides by nothing else, and most visitors look the same.
_kind = lru_cache(maxsize=4096)(_judge)


# Answers from which bytes can be had: a redirect to them is one.
_GRANTING = (200, 206, 302)

_CONTENT: Any = File._meta.get_field("content")
# Bytes are read by the name of the content; its row stays where it is.
_NO_INSTANCE: Any = None


class Delivery(Protocol):
    """Function that makes the answer with a download; ``counts_first`` as of a DeliveryBackend."""

    counts_first: bool

    def __call__(self, download: Download) -> HttpResponseBase: ...


class Answer(Protocol):
    """A response, or a PlainResponse."""

    @property
    def status_code(self) -> int: ...


SomeAnswer = TypeVar("SomeAnswer", bound=Answer)


class PasswordCheck(Protocol):
    """Function that checks the password of a link. Raises the error that the visitor gets."""

    def __call__(self, row: LinkRow) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to a visit, and the link as it was read."""

    answer: HttpResponseBase
    row: LinkRow | ClaimedLink


def open_direct_link(
    *,
    code: str,
    name: str,
    visit: VisitRequest,
    attachment: bool,
    now: datetime,
    deliver: Delivery,
    check_password: PasswordCheck,
) -> Opened:
    """Return the answer of ``deliver`` to a visit to a link, counted if it counts.

    One statement if the visit is plain, the link open to all, the counter the database, and the
    database able to return what it changed; else one read, and one write if it counts. Raise
    LinkNotFound, LinkExpired or LinkUsedUp, RefererRefused, what ``check_password`` raises,
    ConfirmationRequired if the link asks first, NotForPreviews if a preview would take a limited
    link away from its reader, and what ``deliver`` raises: none of these is counted.
    """
    try:
        if not codes.is_well_formed(code):
            raise LinkNotFound
        claimed = None
        # PostgreSQL does not even look for a NUL.
        if deliver.counts_first and "\0" not in name and is_plain(visit):
            claimed = claim(code, name, now)
        if claimed is not None:
            answer, _ = deliver_counted(claimed, deliver, now=now, attachment=attachment)
            return Opened(answer, claimed)
        row = fetch_open_link(code=code, name=name, now=now)
        answer = _deliver_and_count(
            row, visit, deliver, check_password, now=now, attachment=attachment
        )
    except DirectLinksError as error:
        send_now(signals.refused, code=code, error=error)
        raise
    return Opened(answer, row)


def open_confirmed_link(
    *,
    row: LinkRow,
    visit: VisitRequest,
    own_hosts: Sequence[str],
    attachment: bool,
    now: datetime,
    deliver: Callable[[Download], HttpResponseBase],
    check_password: PasswordCheck,
) -> HttpResponseBase:
    """Return what ``deliver`` makes of the download of ``row``, which asks first and was confirmed.

    The visit is counted, even if it looks like a preview or a probe: none presses a button. It may
    come from the sites that the link allows, or from the page with the button, on one of
    ``own_hosts``, which only visitors from those sites have seen. Raise LinkNotFound or LinkUsedUp,
    RefererRefused, what ``check_password`` and ``deliver`` raise: none of these is counted.
    """
    try:
        _check_visitor(row, visit, check_password, own_hosts)
        answer = deliver(describe(row, attachment=attachment, head_only=False))
        if answer.status_code in _GRANTING:
            _count_answer(row, answer, now)
    except DirectLinksError as error:
        send_now(signals.refused, code=row.code, error=error)
        raise
    return answer


def claim(
    code: str, name: str, now: datetime, queries: LinkQueries | None = None
) -> ClaimedLink | None:
    """Count a plain visit to the link at this address, if one statement can tell that it opens.

    None means only that: call ``fetch_open_link`` then. The code is well-formed, and the name has
    no NUL. ``queries`` asks the database in another way than by Django's cursor.
    """
    if not get_counter().in_database:
        return None
    return (queries or get_link_queries()).claim(code, name, now, day_of(now))


def can_claim() -> bool:
    """Return True if ``claim`` can claim a link."""
    return get_counter().in_database and get_link_queries().can_claim


def fetch_open_link(
    *, code: str, name: str, now: datetime, queries: LinkQueries | None = None
) -> LinkRow:
    """Return the link at this address, if it opens at ``now``; who may open it is not checked.

    One read. ``queries`` as for ``claim``. Raise LinkUnknown, LinkNotFound, LinkExpired or
    LinkUsedUp.
    """
    queries = queries or get_link_queries()
    row = queries.fetch(code, now) if codes.is_well_formed(code) else None
    if row is None or row.code != code:
        raise LinkUnknown
    if not is_name_of(name, row.name, code):
        # The name of a short code is part of its secret, so it is guessed as the code is.
        raise LinkUnknown if len(code) < codes.SHORT else LinkNotFound
    if (refusal := row.state(now).refusal()) is not None:
        raise refusal
    return row


def redeem_ticket(
    *, text: str, name: str, method: str, now: datetime, queries: LinkQueries | None = None
) -> Download:
    """Return the download that the ticket ``text`` of a temporary content URL is good for.

    One read. The link is judged again, so revoking it stops targets that were handed out; the
    number of downloads is not, since the ticket itself is the last of them. ``queries`` as for
    ``claim``. Raise TicketInvalid, TicketExpired, LinkNotFound or LinkExpired.
    """
    keys = conf.signing_keys
    ticket = signing.read(text, keys, method=method, now=seconds_of(now))
    row = (queries or get_link_queries()).fetch_by_key(ticket.link)
    if row is None or not is_name_of(name, row.name, text):
        raise LinkNotFound
    if not signing.is_bound(text, keys, code=row.current_code, password=row.password):
        raise TicketInvalid
    state = row.state(now)
    refusal = None if state is LinkState.USED_UP else state.refusal()
    if refusal is not None:
        raise refusal
    return describe(row, attachment=ticket.attachment, head_only=ticket.head_only)


def deliver_counted(
    row: ClaimedLink, deliver: Callable[[Download], SomeAnswer], *, now: datetime, attachment: bool
) -> tuple[SomeAnswer, bool]:
    """Return the answer to a visit that was counted already, and if it grants the file.

    If it does not, or ``deliver`` raises, the download is taken back.
    """
    granted = False
    try:
        answer = deliver(describe(row, attachment=attachment, head_only=False))
        granted = answer.status_code in _GRANTING
    finally:
        if not granted:
            get_link_queries().release(row.link_id, day_of(now))
    if granted:
        send_now(signals.opened, link=row.link_id, at=now)
    return answer, granted


def _deliver_and_count(
    row: LinkRow,
    visit: VisitRequest,
    deliver: Delivery,
    check_password: PasswordCheck,
    *,
    now: datetime,
    attachment: bool,
) -> HttpResponseBase:
    """Return the answer, discarded if the count refuses it.

    It is prepared first, so that contents which are gone are not counted.
    """
    _check_visitor(row, visit, check_password)
    if row.ask_first:
        raise ConfirmationRequired(row.name, row.size)
    kind = kind_of(visit, row.size)
    limited = has_download_limit(row)
    if limited and kind is VisitKind.PREVIEW:
        raise NotForPreviews
    answer = deliver(describe(row, attachment=attachment, head_only=kind is VisitKind.HEAD))
    if kind.counts(limited=limited) and answer.status_code in _GRANTING:
        _count_answer(row, answer, now)
    return answer


def _check_visitor(
    row: LinkRow, visit: VisitRequest, check_password: PasswordCheck, own_hosts: Sequence[str] = ()
) -> None:
    """Raise RefererRefused, or what ``check_password`` raises, if ``row`` does not open."""
    if row.password:
        # A visitor who knows it may come from anywhere. Its form cannot say where it came from.
        check_password(row)
    elif (
        not referers.allows(row.referers, visit.referer)
        # Exactly, because subdomains of a site may belong to its users.
        and referers.host_of(visit.referer) not in own_hosts
    ):
        raise RefererRefused


def _count_answer(row: LinkRow, answer: HttpResponseBase, now: datetime) -> None:
    """Count the visit to ``row`` that gets ``answer``.

    Raise LinkUsedUp or LinkNotFound if the link was used up, paused or revoked since it was read.
    """
    is_counted = False
    try:
        is_counted = count(row, now)
    finally:
        if not is_counted and isinstance(answer, BlockResponse):
            answer.discard()
    if not is_counted:
        raise LinkUsedUp if has_download_limit(row) else LinkNotFound
    send_now(signals.opened, link=row.link_id, at=now)


def count(row: LinkRow, now: datetime) -> bool:
    """Count one download of the link read as ``row``. Return False if it no longer opens."""
    if has_download_limit(row):
        return get_link_queries().count(row.link_id, now, day_of(now))
    return get_counter().count(row.link_id, now)


def describe(row: LinkRow | ClaimedLink, *, attachment: bool, head_only: bool) -> Download:
    """Return the download of a link's current content. Active types are always attachments."""
    return Download(
        link=row.link_id,
        code=row.current_code,
        password=row.password,
        name=row.name,
        content=_content_of(row),
        storage_alias=row.storage_alias,
        content_type=row.content_type,
        version=row.version,
        size=row.size,
        modified_at=row.modified_at,
        attachment=attachment or not is_passive(row.content_type),
        head_only=head_only,
        limited=has_download_limit(row),
        guarded=row.is_guarded,
        until=row.expires_at,
    )


def _content_of(row: LinkRow | ClaimedLink) -> Content:
    """Return the content of ``row``. Raise StorageRefused if STORAGES lacks its storage."""
    content = Content(_NO_INSTANCE, _CONTENT, row.content)
    if row.storage_alias != conf.storage_alias:
        try:
            content.storage = _CONTENT.storage_at(row.storage_alias)
        except InvalidStorageError as error:
            raise StorageRefused(cause=str(error)) from error
    return content
