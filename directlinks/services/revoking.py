"""Revoking direct links, for good: a code is never reissued."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from directlinks import signals
from directlinks.core import codes
from directlinks.core.envelope import Batch
from directlinks.core.errors import InvalidParameters, NotYourLink
from directlinks.models import DirectLink, File
from directlinks.policies import Policy
from directlinks.services.history import remember
from directlinks.services.listing import NO_CODE
from directlinks.services.sending import send_on_commit


def revoke_direct_link(link: DirectLink, *, user: Any, now: datetime) -> None:
    """Revoke ``link``. Raise NotYourLink if another request was quicker."""
    if not revoke_all([link], user=user, now=now):
        raise NotYourLink


def revoke_direct_links(
    texts: Sequence[str], *, user: Any, policy: Policy, now: datetime
) -> Batch[str]:
    """Revoke the links with the codes ``texts`` that ``user`` may manage.

    The batch has the codes that were revoked, in the order asked and each once, and an error for
    each other one: InvalidParameters if it is no code, else NotYourLink. Up to four statements for
    any number of codes.
    """
    unique = list(dict.fromkeys(texts))
    batch: Batch[str] = Batch()
    well_formed = [code for code in unique if codes.is_well_formed(code)]
    files = policy.filter(user, File.objects.all())
    found = DirectLink.objects.filter(code__in=well_formed, revoked_at=None, file__in=files)
    links = {link.code: link for link in found}
    revoke_all(links.values(), user=user, now=now)
    for code in unique:
        if code in links:
            batch.items.append(code)
        elif codes.is_well_formed(code):
            batch.errors[code] = NotYourLink()
        else:
            batch.errors[code] = InvalidParameters(NO_CODE)
    return batch


def revoke_all(links: Iterable[DirectLink], *, user: Any, now: datetime) -> int:
    """Revoke ``links``, and return how many were not revoked yet."""
    links = list(links)
    with DirectLink.objects.atomic():
        rows = DirectLink.objects.filter(pk__in=[link.pk for link in links])
        rows.lock()
        number = rows.revoke(now)
        if number:
            remember(links, ["revoked_at"], user=user)
    if number:
        for link in links:
            link.revoked_at, link.reuse_name = now, None
        send_on_commit(signals.revoked, links=links, user=user)
    return number
