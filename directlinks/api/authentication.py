"""Authentication: simplejwt's access tokens first, then the site's own classes."""

from types import SimpleNamespace
from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from directlinks.api.tokens import ODD_CLAIMS, names_user
from directlinks.core.errors import InvalidToken
from directlinks.users import users


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
            validated_token = self.get_validated_token(raw_token)
            user = self.get_user(validated_token)
        except (TokenError, *ODD_CLAIMS):
            return None
        return (user, validated_token) if names_user(validated_token, user) else None

    def get_raw_token(self, header: bytes) -> bytes | None:
        parts = header.split()
        words = {word.lower().encode() for word in ("Bearer", *api_settings.AUTH_HEADER_TYPES)}
        if len(parts) == 2 and parts[0].lower() in words:
            return parts[1]
        return parts[0] if len(parts) == 1 else None
