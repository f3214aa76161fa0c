"""Changing the limits and codes of links, one or many at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Value, When

from directlinks import signals
from directlinks.core.errors import NotYourLink
from directlinks.fields import validate_datetime
from directlinks.models import DirectLink, FormerCode
from directlinks.querysets import retry_on_conflict
from directlinks.services.creating import unique_codes
from directlinks.services.history import changed_fields, remember
from directlinks.services.limits import EDITABLE_FIELDS, apply_limits, ceilings
from directlinks.services.sending import send_on_commit


def change_direct_link(
    link: DirectLink, limits: Mapping[str, Any], *, user: Any, now: datetime
) -> DirectLink:
    """Set ``limits`` (see ``apply_limits``) on ``link``, save it and send a signal.

    A read and a write. Raise ValidationError if the limits are wrong; then nothing was changed.
    """
    if not limits:
        return link
    apply_limits(link, limits, user=user, now=now)
    with DirectLink.objects.atomic():
        changed = _what_differs(link, limits)
        link.save(update_fields=list(limits))
        remember([link], changed_fields(changed), user=user)
    send_on_commit(signals.changed, links=[link], changes=list(limits), user=user)
    return link


def _what_differs(link: DirectLink, names: Iterable[str]) -> dict[str, Any]:
    """Return the columns ``names`` in which ``link`` differs from its row, with its values."""
    # A form has set them on the link already.
    row = DirectLink.objects.filter(pk=link.pk).values(*names).first() or {}
    return {name: getattr(link, name) for name, old in row.items() if getattr(link, name) != old}


def rotate_direct_link(
    link: DirectLink, *, grace: timedelta | None, user: Any, now: datetime
) -> DirectLink:
    """Give ``link`` a new code; the old one opens it for ``grace``, or not at all if None.

    The old code belongs to this link for ever and is never reissued. Raise NotYourLink if another
    request was quicker to rotate or revoke the link.
    """
    if not rotate_direct_links([link], grace=grace, user=user, now=now):
        raise NotYourLink
    return link


# A statement that names more codes has more parameters than some builds of SQLite accept.
_ROTATED_AT_ONCE = 300


def pause_direct_links(links: Sequence[DirectLink], *, user: Any) -> int:
    """Pause those of ``links`` that are not paused, and return how many."""
    running = [link for link in links if not link.paused]
    for link in running:
        link.paused, link.reuse_name = True, None
    # A link that was paused once is not reused.
    return _update(running, {"paused": True, "reuse_name": None}, user=user)


def resume_direct_links(links: Sequence[DirectLink], *, user: Any) -> int:
    """Resume those of ``links`` that are paused, and return how many."""
    paused = [link for link in links if link.paused]
    for link in paused:
        link.paused = False
    return _update(paused, {"paused": False}, user=user)


def extend_direct_links(
    links: Sequence[DirectLink], *, life: timedelta, user: Any, now: datetime
) -> int:
    """Extend those of ``links`` that expire by ``life``; one that has expired, from now.

    Links that never expire are left alone, and so are those that would then live longer than the
    site, the groups of ``user`` or the calendar allow.
    """
    longest = ceilings(user).life
    ends = {}
    for link in links:
        if link.expires_at is not None:
            try:
                end = max(link.expires_at, now) + life
                validate_datetime(end)
            except (OverflowError, ValidationError):
                continue
            if longest is None or end <= link.created_at + longest:
                ends[link] = end
    # Computed by the database, so that it takes nothing back that another request adds meanwhile.
    later = Case(
        When(expires_at__lt=now, then=Value(now + life, models.DateTimeField())),
        default=F("expires_at") + Value(life, models.DurationField()),
    )
    for link, end in ends.items():
        link.expires_at = end
    return _update(list(ends), {"expires_at": later}, user=user)


def rotate_direct_links(
    links: Sequence[DirectLink], *, grace: timedelta | None, user: Any, now: datetime
) -> int:
    """Give each of ``links`` a new code, as ``rotate_direct_link`` does."""
    until = None if grace is None else now + grace
    standing = [link for link in links if link.revoked_at is None]
    rotated: list[DirectLink] = []
    with DirectLink.objects.atomic():
        for start in range(0, len(standing), _ROTATED_AT_ONCE):
            some = standing[start : start + _ROTATED_AT_ONCE]
            # A code may become another link's meanwhile, as happens to very short ones.
            rotated += retry_on_conflict(partial(_rotate, some, until))
        remember(rotated, ["code"], user=user)
    if rotated:
        send_on_commit(signals.changed, links=rotated, changes=["code"], user=user)
    return len(rotated)


def _rotate(links: Sequence[DirectLink], until: datetime | None) -> list[DirectLink]:
    """Return those of ``links`` that got a new code: others were rotated or revoked meanwhile."""
    with DirectLink.objects.atomic():
        codes = [link.code for link in links]
        DirectLink.objects.filter(pk__in=[link.pk for link in links]).lock()
        fresh = dict(zip(codes, unique_codes(len(codes)), strict=True))
        cases = [When(code=old, then=Value(new)) for old, new in fresh.items()]
        DirectLink.objects.filter(code__in=fresh, revoked_at=None).update(code=Case(*cases))
        taken = DirectLink.objects.filter(code__in=fresh.values()).values_list("code", flat=True)
        changed = set(taken)
        rotated = [link for link in links if fresh[link.code] in changed]
        former = [FormerCode(code=link.code, link=link, until=until) for link in rotated]
        FormerCode.objects.bulk_create(former)
        for link in rotated:
            link.code = fresh[link.code]
        return rotated


def _update(links: Sequence[DirectLink], values: dict[str, Any], *, user: Any) -> int:
    standing = [link for link in links if link.revoked_at is None]
    if not standing:
        return 0
    limits = {name: value for name, value in values.items() if name in EDITABLE_FIELDS}
    keys = [link.pk for link in standing]
    with DirectLink.objects.atomic():
        rows = DirectLink.objects.filter(pk__in=keys)
        rows.lock()
        # In the order in which links are made, so that MariaDB has less to deadlock about.
        number = rows.filter(revoked_at=None).order_by("file_id").update(**values)
        remember(standing, changed_fields(limits), user=user)
    send_on_commit(signals.changed, links=standing, changes=list(limits), user=user)
    return number
