"""Authentication: simplejwt's access tokens first, then the site's own classes."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, cast

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, router, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.request import Request
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import Token, UntypedToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from directlinks.conf import conf
from directlinks.core.errors import InvalidToken
from directlinks.datetimes import rfc3339
from directlinks.tenants import current_tenant
from directlinks.users import is_active, users

# Ends with the password: a stolen refresh token ends when its owner changes it.
STATE_CLAIM = "state_hash"

# On a site with tenants: each may have a user of this key.
TENANT_CLAIM = "tenant_schema"

MALFORMED_CLAIM_ERRORS = (
    ArithmeticError,
    DataError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValidationError,
    ValueError,
)
"""What simplejwt, PyJWT and the database raise for claims of kinds that they do not expect."""


class AccessToken(tokens.AccessToken):
    """One hour, unless the site's SIMPLE_JWT says otherwise."""

    @property
    def lifetime(self) -> timedelta:  # type: ignore[override]  # read late, as all our settings
        return conf.access_lifetime


class RefreshToken(tokens.RefreshToken):
    """Fourteen days, unless the site's SIMPLE_JWT says otherwise."""

    access_token_class = AccessToken
    no_copy_claims: Any = (*tokens.RefreshToken.no_copy_claims, STATE_CLAIM)

    def check_blacklist(self) -> None:
        """Raise TokenError if the token has ended. simplejwt knows neither grace nor families."""
        if has_ended(self):
            raise TokenError("Token has ended")

    @property
    def lifetime(self) -> timedelta:  # type: ignore[override]  # read late, as all our settings
        return conf.refresh_lifetime


def token_pair(user: Any, root: str | None = None) -> dict[str, str]:
    """Return a new pair for ``user`` as it goes over the wire, with the times at which they end.

    It descends from the token with the id ``root``, or begins a family of its own.
    """
    refresh = cast("RefreshToken", RefreshToken.for_user(user))
    refresh[STATE_CLAIM] = user.get_session_auth_hash()
    refresh[ROOT_CLAIM] = root or root_of(refresh)
    if (tenant := current_tenant()) is not None:
        refresh[TENANT_CLAIM] = tenant
    access = refresh.access_token
    return {
        "access_token": str(access),
        "refresh_token": str(refresh),
        "access_expires": _end(access),
        "refresh_expires": _end(refresh),
    }


def exchange(text: str) -> dict[str, str]:
    """Return a new pair for the refresh token ``text``.

    Raise InvalidToken if it is expired, of another kind, ended by a logout or, on a site with
    ``BLACKLIST_AFTER_ROTATION``, exchanged a while ago; and if its user is gone, inactive or has
    another password.
    """
    refused = InvalidToken("Failed to issue token pair")
    try:
        refresh = RefreshToken(cast("Any", text))
        user = _user_of(refresh)
        if user is not None and conf.blacklist_after_rotation:
            end_soon(refresh, user)
    except (TokenError, *MALFORMED_CLAIM_ERRORS) as error:
        raise refused from error
    if user is None:
        raise refused
    return token_pair(user, root_of(refresh))


def discard(text: str) -> None:
    """End the refresh tokens of the login that ``text``, any token of it, comes from.

    Nothing happens if they have ended already. Raise InvalidToken if it is no valid token.
    """
    refused = InvalidToken("Failed to parse token")
    try:
        token = tokens.UntypedToken(cast("Any", text))
        if is_own := is_of_tenant(token):
            end_family(token)
    except (TokenError, *MALFORMED_CLAIM_ERRORS) as error:
        raise refused from error
    if not is_own:
        raise refused


def is_of_tenant(token: tokens.Token) -> bool:
    """Return True if ``token`` was issued by the tenant that is served, or there are none."""
    tenant = current_tenant()
    return tenant is None or token.get(TENANT_CLAIM) == tenant


def is_token_of(token: tokens.Token, user: Any) -> bool:
    """Return True if ``token`` names ``user`` exactly as a new token would.

    Databases also find user 1 by ``true``, ``1.5`` and ``" 1"``.
    """
    key = token.get(api_settings.USER_ID_CLAIM)
    if isinstance(key, bool) or not isinstance(key, int | str):
        return False
    return str(key) == str(getattr(user, conf.token_user_field))


def _user_of(refresh: RefreshToken) -> Any | None:
    key = refresh.get(api_settings.USER_ID_CLAIM)
    user: Any = users().filter(**{conf.token_user_field: key}).first()
    if user is None or not (is_token_of(refresh, user) and is_active(user)):
        return None
    if not is_of_tenant(refresh):
        return None
    # A token that was obtained elsewhere has no such claim; it ends with its own time.
    state = refresh.get(STATE_CLAIM)
    if state is not None and not constant_time_compare(state, user.get_session_auth_hash()):
        return None
    return user


def _end(token: tokens.Token) -> str:
    return rfc3339(datetime.fromtimestamp(token["exp"], UTC))


class AccessTokenAuthentication(JWTAuthentication):
    """simplejwt's own rule, lenient towards what is not its business.

    The word ``Bearer`` may be missing. A token that simplejwt did not sign, or that has expired,
    gets no answer here, so a Bearer token of another scheme still reaches its own class.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A replica may not know a new user, or that one was deactivated.
        gone = self.user_model.DoesNotExist
        self.user_model: Any = SimpleNamespace(objects=users(), DoesNotExist=gone)

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = self.get_header(request)
        raw_token = None if header is None else self.get_raw_token(header)
        if raw_token is None:
            return None
        try:
            token = UntypedToken(raw_token)  # type: ignore[arg-type]  # bytes are what it decodes
            if token.get(api_settings.TOKEN_TYPE_CLAIM) == RefreshToken.token_type:
                raise InvalidToken
            if not is_of_tenant(token):
                # Else the site's own classes are asked, and simplejwt's takes it.
                raise InvalidToken
            validated_token = self.get_validated_token(raw_token)
            user = self.get_user(validated_token)
        except (TokenError, *MALFORMED_CLAIM_ERRORS):
            return None
        return (user, validated_token) if is_token_of(validated_token, user) else None

    def get_raw_token(self, header: bytes) -> bytes | None:
        parts = header.split()
        words = {word.lower().encode() for word in ("Bearer", *api_settings.AUTH_HEADER_TYPES)}
        if len(parts) == 2 and parts[0].lower() in words:
            return parts[1]
        return parts[0] if len(parts) == 1 else None


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
