"""Authentication backends and classes that a site may bring along."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tests.factories import UserFactory


class LateDeactivation(ModelBackend):
    """Logs a user in who is inactive by the time the answer is written."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        user: Any = super().authenticate(request, username, password, **kwargs)
        user.is_active = False
        return user


class OtherBearer(BaseAuthentication):
    """Another scheme that uses the word Bearer: its only token is ``opaque``."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        if request.headers.get("Authorization") == "Bearer opaque":
            return UserFactory(), None
        return None
