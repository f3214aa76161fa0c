"""Sending signals after the commit; receivers that raise are logged."""

import logging
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from directlinks.models import DirectLink

logger = logging.getLogger("directlinks")


def send_on_commit(signal: Signal, **arguments: Any) -> None:
    """Send ``signal`` after the commit. A receiver that raises is logged."""
    if signal.has_listeners(DirectLink):
        transaction.on_commit(lambda: _send(signal, arguments), using=DirectLink.objects.db)


def send_now(signal: Signal, **arguments: Any) -> None:
    """Send ``signal`` at once, for what is committed already."""
    # Asked at every visit, and has_listeners() takes a lock.
    if signal.receivers and signal.has_listeners(DirectLink):
        _send(signal, arguments)


def _send(signal: Signal, arguments: dict[str, Any]) -> None:
    # Django logs what a receiver raises, as it does for every robust send.
    signal.send_robust(sender=DirectLink, **arguments)
