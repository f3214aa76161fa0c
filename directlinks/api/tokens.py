"""simplejwt's tokens with the lifetimes of this protocol, and the pair that a login gives."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import DataError
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings

from directlinks.api import blacklist
from directlinks.conf import conf
from directlinks.core.errors import InvalidToken
from directlinks.datetimes import rfc3339
from directlinks.users import is_active, users

# Ends with the password: a stolen refresh token dies when its owner changes it.
STATE_CLAIM = "state_hash"

ODD_CLAIMS = (
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
        if blacklist.has_ended(self):
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
    refresh[blacklist.ROOT_CLAIM] = root or blacklist.root_of(refresh)
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
            blacklist.end_soon(refresh, user)
    except (TokenError, *ODD_CLAIMS) as error:
        raise refused from error
    if user is None:
        raise refused
    return token_pair(user, blacklist.root_of(refresh))


def discard(text: str) -> None:
    """End the refresh tokens of the login that ``text``, any token of it, comes from.

    Nothing happens if they have ended already. Raise InvalidToken if it is no valid token.
    """
    try:
        blacklist.end_family(tokens.UntypedToken(cast("Any", text)))
    except (TokenError, *ODD_CLAIMS) as error:
        raise InvalidToken("Failed to parse token") from error


def names_user(token: tokens.Token, user: Any) -> bool:
    """Return True if ``token`` names ``user`` as a new token would.

    Databases find user 1 by ``true``, ``1.5`` and ``" 1"`` too.
    """
    key = token.get(api_settings.USER_ID_CLAIM)
    if isinstance(key, bool) or not isinstance(key, int | str):
        return False
    return str(key) == str(getattr(user, conf.token_user_field))


def _user_of(refresh: RefreshToken) -> Any | None:
    key = refresh.get(api_settings.USER_ID_CLAIM)
    user: Any = users().filter(**{conf.token_user_field: key}).first()
    if user is None or not (names_user(refresh, user) and is_active(user)):
        return None
    # A token that was obtained elsewhere has no such claim; it ends with its own time.
    state = refresh.get(STATE_CLAIM)
    if state is not None and not constant_time_compare(state, user.get_session_auth_hash()):
        return None
    return user


def _end(token: tokens.Token) -> str:
    return rfc3339(datetime.fromtimestamp(token["exp"], UTC))
