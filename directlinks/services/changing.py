"""Changing links: their limits, one by one or many at once, and their codes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from directlinks import signals
from directlinks.core.errors import NotYourLink
from directlinks.models import DirectLink, FormerCode
from directlinks.services.announcing import announce
from directlinks.services.fresh_codes import fresh_codes
from directlinks.services.history import changed_fields, remember
from directlinks.services.limits import apply_limits

_TRIES = 3


def change_direct_link(
    link: DirectLink, limits: Mapping[str, Any], *, user: Any, now: datetime
) -> DirectLink:
    """Set ``limits`` (see ``apply_limits``) on ``link``, save it and say so. A read and a write.

    Raises ValidationError where the limits are wrong; then nothing was changed.
    """
    if not limits:
        return link
    apply_limits(link, limits, user=user, now=now)
    with DirectLink.objects.atomic():
        changed = _what_differs(link, limits)
        link.save(update_fields=list(limits))
        remember([link], changed_fields(changed), user=user)
    announce(signals.changed, links=[link], changes=list(limits), user=user)
    return link


def _what_differs(link: DirectLink, names: Iterable[str]) -> dict[str, Any]:
    """The columns ``names`` in which ``link`` differs from its row, with its values."""
    # A form has set them on the link already.
    row = DirectLink.objects.filter(pk=link.pk).values(*names).first() or {}
    return {name: getattr(link, name) for name, old in row.items() if getattr(link, name) != old}


def rotate_direct_link(
    link: DirectLink, *, grace: timedelta | None, user: Any, now: datetime
) -> DirectLink:
    """Give ``link`` a new code; all else stays. The old one opens for ``grace``, None: not at all.

    The old code belongs to this link for ever and is never given to another. Raises NotYourLink
    if another request was quicker to rotate or revoke the link.
    """
    old, until = link.code, None if grace is None else now + grace
    with DirectLink.objects.atomic():
        link.code = _new_code_instead_of(link)
        FormerCode.objects.create(code=old, link=link, until=until)
        remember([link], ["code"], user=user)
    announce(signals.changed, links=[link], changes=["code"], user=user)
    return link


def _new_code_instead_of(link: DirectLink) -> str:
    # The condition, in the statement that writes, lets only one of two who rotate at once do it.
    standing = DirectLink.objects.filter(pk=link.pk, code=link.code, revoked_at=None)
    tries = _TRIES
    while True:
        tries -= 1
        (code,) = fresh_codes(1)
        try:
            with DirectLink.objects.atomic():
                if not standing.update(code=code):
                    raise NotYourLink
                return code
        except IntegrityError:  # the code is another link's, as happens to very short ones
            if not tries:
                raise
