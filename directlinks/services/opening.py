"""Opening direct links: what a visitor's code and name, or the ticket in a temporary URL, give."""

from datetime import datetime

from directlinks.conf import conf
from directlinks.core import codes, signing, visits
from directlinks.core.errors import LinkNotFound, LinkUsedUp, NotForPreviews
from directlinks.core.states import LinkState
from directlinks.core.visits import Look, Visit
from directlinks.delivery.download import Download, describe
from directlinks.models import DirectLink


def open_direct_link(
    *, code: str, name: str, look: Look, attachment: bool, now: datetime
) -> Download:
    """The download behind ``/f/<code>/<name>``, counted if ``look`` is one that counts.

    One read, and one write where it counts. Raises LinkNotFound, LinkExpired or LinkUsedUp, and
    NotForPreviews where a preview would take a limited link away from its reader.
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
    if visit.counts(limited=limited) and not DirectLink.objects.count_download(link.pk, now):
        # The link was opened, paused or revoked by somebody else since it was read.
        raise LinkUsedUp() if limited else LinkNotFound()
    return describe(link, attachment=attachment, head_only=visit is Visit.HEAD)


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
    return describe(link, attachment=ticket.attachment, head_only=ticket.head_only)


def _find(**key: object) -> DirectLink | None:
    return DirectLink.objects.select_related("file__owner").filter(**key).first()
