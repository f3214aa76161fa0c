"""Login, refresh and logout, as existing clients call them."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from directlinks.api import tokens
from directlinks.api.accounts import logged_in_user
from directlinks.api.base import EnvelopeView, django_request
from directlinks.api.bodies import json_object
from directlinks.api.credentials import user_by_credentials
from directlinks.api.serializers import LoginSerializer, RefreshTokenSerializer
from directlinks.api.throttles import LoginThrottle
from directlinks.core import envelope


class SessionView(EnvelopeView):
    """A call whose body is the proof of who is asking: no header is looked at."""

    permission_classes = (AllowAny,)

    def get_authenticators(self) -> list[Any]:
        return []

    def body(self, serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
        serializer = serializer_class(data=json_object(django_request(request)))
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class SessionTokenView(SessionView):
    """POST to log in, DELETE to log out."""

    def get_throttles(self) -> list[Any]:
        login = [LoginThrottle()] if self.request.method == "POST" else []
        return [*login, *super().get_throttles()]

    def post(self, request: Request) -> Response:
        credentials = self.body(LoginSerializer, request)
        user = user_by_credentials(
            django_request(request), login=credentials["email"], password=credentials["password"]
        )
        account = logged_in_user(user)
        return Response(envelope.success({"user": account, "token": tokens.token_pair(user)}))

    def delete(self, request: Request) -> Response:
        tokens.discard(self.body(RefreshTokenSerializer, request)["refresh_token"])
        return Response(envelope.success(""))


class RefreshView(SessionView):
    """POST a refresh token for a new pair."""

    def post(self, request: Request) -> Response:
        refresh_token = self.body(RefreshTokenSerializer, request)["refresh_token"]
        return Response(envelope.success(tokens.exchange(refresh_token)))
