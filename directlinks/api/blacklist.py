"""Refresh tokens that end before their time, in the tables of simplejwt's own blacklist.

An exchanged token ends if the site sets ``BLACKLIST_AFTER_ROTATION``, though a moment later: its
``blacklisted_at`` lies ahead. A logout ends a family, which is all tokens that descend from one
login: a row for it stands among the outstanding tokens. Without the blacklist app nothing ends.
"""

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import IntegrityError, router, transaction
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.utils import datetime_from_epoch

from directlinks.conf import conf

GRACE = timedelta(seconds=60)
"""For this long an exchanged token stays good: the tabs of a browser refresh side by side."""

ROOT_CLAIM = "root_token_id"


def root_of(token: Token) -> str:
    """Return the id of the token that a login gave, from which ``token`` descends."""
    root = token.get(ROOT_CLAIM)
    return root if root and isinstance(root, str) else _id_of(token)


def has_ended(token: Token) -> bool:
    """Return True if ``token`` or its family has ended."""
    if not _is_installed():
        return False
    ended = BlacklistedToken.objects.using(_database()).filter(
        token__jti__in=[_id_of(token), _family_of(token)], blacklisted_at__lte=timezone.now()
    )
    return ended.exists()


def end_soon(token: Token, user: Any) -> None:
    """End ``token``, which ``user`` has exchanged, after GRACE; the first exchange counts."""
    if not _is_installed():
        return
    row, _ = OutstandingToken.objects.using(_database()).get_or_create(
        jti=_id_of(token),
        defaults={
            "user": user,
            "token": str(token),
            "created_at": token.current_time,
            "expires_at": datetime_from_epoch(token["exp"]),
        },
    )
    blacklisted = BlacklistedToken.objects.using(_database())
    # Together: for a moment the token would have ended already, and other tabs with it.
    with suppress(IntegrityError), transaction.atomic(using=_database()):
        blacklisted.create(token=row)
        blacklisted.filter(token=row).update(blacklisted_at=timezone.now() + GRACE)


def end_family(token: Token) -> None:
    """End all refresh tokens of the login from which ``token`` descends.

    To simplejwt's own views, which know no families, ``token`` alone ends.
    """
    if not _is_installed():
        return
    row, _ = OutstandingToken.objects.using(_database()).get_or_create(
        jti=_family_of(token),
        defaults={
            "token": "",
            "created_at": token.current_time,
            # Expired rows may be flushed: this one must outlast every token of the family.
            "expires_at": max(
                token.current_time + conf.refresh_lifetime + GRACE,
                datetime_from_epoch(token["exp"]),
            ),
        },
    )
    presented = OutstandingToken.objects.using(_database()).filter(jti=_id_of(token))
    for ended in (row, *presented):
        BlacklistedToken.objects.using(_database()).get_or_create(token=ended)


def _is_installed() -> bool:
    return apps.is_installed("rest_framework_simplejwt.token_blacklist")


def _database() -> str:
    return router.db_for_write(BlacklistedToken)


def _id_of(token: Token) -> str:
    return str(token.get(api_settings.JTI_CLAIM))


def _family_of(token: Token) -> str:
    """Return the id of the row that stands for the family of ``token``."""
    return "family-" + sha256(root_of(token).encode(errors="replace")).hexdigest()
