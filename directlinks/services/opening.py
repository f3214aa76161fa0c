"""Opening direct links: what a visitor's code and name, or the ticket in a temporary URL, give."""

from collections.abc import Callable
from datetime import datetime

from django.http.response import HttpResponseBase

from directlinks.conf import conf
from directlinks.core import codes, signing, visits
from directlinks.core.errors import LinkNotFound, LinkUsedUp, NotForPreviews
from directlinks.core.states import LinkState
from directlinks.core.visits import Look, Visit
from directlinks.delivery.download import Download, is_passive
from directlinks.delivery.streaming import BlockResponse
from directlinks.models import DirectLink

# Answers from which bytes can be had: a redirect to them is one.
_GRANTING = (200, 206, 302)


def open_direct_link(
    *,
    code: str,
    name: str,
    look: Look,
    attachment: bool,
    now: datetime,
    deliver: Callable[[Download], HttpResponseBase],
) -> HttpResponseBase:
    """What ``deliver`` makes of the download behind ``/f/<code>/<name>``, counted if it counts.

    One read, and one write where it counts. The answer is prepared first, so that bytes which
    are gone are not counted, and thrown away where the count refuses it. Raises LinkNotFound,
    LinkExpired or LinkUsedUp, NotForPreviews where a preview would take a limited link away from
    its reader, and what ``deliver`` raises.
    """
    link = _find(code=code) if codes.is_well_formed(code) else None
    if link is None or link.code != code or link.name != name:
        raise LinkNotFound
    if (refusal := link.state(now).refusal()) is not None:
        raise refusal
    visit = visits.classify(look, size=link.file.size, preview_agents=conf.PREVIEW_AGENTS)
    limited = link.max_downloads is not None
    if limited and visit is Visit.PREVIEW:
        raise NotForPreviews
    answer = deliver(_describe(link, attachment=attachment, head_only=visit is Visit.HEAD))
    if (
        visit.counts(limited=limited)
        and answer.status_code in _GRANTING
        and not DirectLink.objects.filter(pk=link.pk).count_download(now)
    ):
        # The link was opened, paused or revoked by somebody else since it was read.
        if isinstance(answer, BlockResponse):
            answer.discard()
        raise LinkUsedUp if limited else LinkNotFound
    return answer


def redeem_ticket(*, text: str, name: str, method: str, now: datetime) -> Download:
    """The download that the ticket ``text`` of a temporary content URL is good for. One read.

    The link is judged again, so revoking it stops targets that were handed out; the number of
    downloads is not, since the ticket itself is the last of them. Raises TicketInvalid,
    TicketExpired, LinkNotFound or LinkExpired.
    """
    ticket = signing.read(text, conf.signing_keys, method=method, now=now.timestamp())
    link = _find(pk=ticket.link)
    if link is None or link.name != name:
        raise LinkNotFound
    state = link.state(now)
    refusal = None if state is LinkState.USED_UP else state.refusal()
    if refusal is not None:
        raise refusal
    return _describe(link, attachment=ticket.attachment, head_only=ticket.head_only)


def _describe(link: DirectLink, *, attachment: bool, head_only: bool) -> Download:
    """The download of what ``link`` points at now. Types that could act are attachments always."""
    file = link.file
    return Download(
        link=link.pk,
        name=link.name,
        content=file.content,
        content_type=file.content_type,
        version=file.version,
        modified_at=file.content_updated_at,
        attachment=attachment or not is_passive(file.content_type),
        head_only=head_only,
        limited=link.max_downloads is not None,
        until=link.expires_at,
    )


def _find(**key: object) -> DirectLink | None:
    return DirectLink.objects.select_related("file__owner").filter(**key).first()
