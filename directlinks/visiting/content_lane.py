"""The fast lane for bytes: a whole file, to a visitor with a ticket for it or with its link.

Like ``lane.py`` it makes no request and no response of Django's, and leaves all else to
``resolving.py``: ranges, conditions, and every failure.
"""

from datetime import datetime
from typing import Any

from directlinks import signals
from directlinks.core.errors import DirectLinksError, LinkNotFound, StorageError
from directlinks.delivery.base import DeliveryBackend
from directlinks.delivery.choice import backend_of
from directlinks.delivery.content import whole_content
from directlinks.delivery.download import Download
from directlinks.delivery.replies import Reply
from directlinks.delivery.stream import StreamBackend
from directlinks.services.opening import (
    admit,
    can_admit,
    count,
    deliver_counted,
    describe,
    find_open_link,
    redeem_ticket,
)
from directlinks.services.sending import send_now

Environ = dict[str, Any]

_CONDITIONS = (
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
)


def wants_all(environ: Environ) -> bool:
    """Return True if a plain visit asks for the whole file, without any condition."""
    return not any(map(environ.__contains__, _CONDITIONS))


def redeemed(ticket: str, name: str, now: datetime) -> Reply | None:
    """Return the file that a GET with ``ticket`` gets, or None if it gets none.

    Raise StorageError if its storage fails.
    """
    try:
        download = redeem_ticket(text=ticket, name=name, method="GET", now=now)
        backend = backend_of(download)
        is_sent_by_us = not backend.sends_content or _streams(backend)
        return whole_content(download) if is_sent_by_us else None
    except StorageError:  # asking once more may take as long as a time-out
        raise
    except DirectLinksError:
        return None


def streamed(code: str, name: str, now: datetime, *, saving: bool) -> Reply | None:
    """Return the file behind a link for a plain visit, counted, or None if more is to be asked.

    Raise StorageError if its storage fails, and then the visit is not counted.
    """
    try:
        if (admission := admit(code, name, now)) is not None:
            return deliver_counted(admission, _whole_content, now=now, attachment=saving)[0]
        return None if can_admit() else _found_and_counted(code, name, now, saving=saving)
    except StorageError as error:
        send_now(signals.refused, code=code, error=error)
        raise
    except DirectLinksError:
        return None


def _found_and_counted(code: str, name: str, now: datetime, *, saving: bool) -> Reply | None:
    """Do the same if no single statement can admit a visit."""
    row = find_open_link(code=code, name=name, now=now)
    if row.is_guarded:
        return None
    reply = _whole_content(describe(row, attachment=saving, head_only=False))
    is_counted = False
    try:
        is_counted = count(row, now)
    finally:
        if not is_counted and reply.body is not None:
            reply.body.close()
    if not is_counted:
        return None
    send_now(signals.opened, link=row.link, at=now)
    return reply


def _whole_content(download: Download) -> Reply:
    """Return the answer with the file. Raise LinkNotFound if its storage is delivered otherwise."""
    if not _streams(backend_of(download)):
        raise LinkNotFound  # in another storage than most: not counted here
    return whole_content(download)


def _streams(backend: DeliveryBackend) -> bool:
    return type(backend).deliver is StreamBackend.deliver
