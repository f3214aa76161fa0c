"""Login, refresh and logout, as existing clients call them."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.db.models import Q
from django.http import HttpRequest
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from directlinks.api.authentication import discard, exchange, token_pair
from directlinks.api.base import EnvelopeView, django_request, json_object
from directlinks.api.serializers import LoginSerializer, RefreshTokenSerializer
from directlinks.conf import conf
from directlinks.core import envelope
from directlinks.core.errors import AccountNotActivated, IncorrectCredentials
from directlinks.datetimes import rfc3339
from directlinks.policies import is_admin
from directlinks.serving.throttling import count_attempt
from directlinks.users import is_active, users


def logged_in_user(user: Any) -> dict[str, Any]:
    """Return the account as existing clients read it; ``permission`` is a bit set in base64.

    A user without ``date_joined`` gets the Unix epoch, because strict clients require a date.
    """
    joined = getattr(user, "date_joined", None)
    admin = is_admin(user)
    group: dict[str, Any] = {
        "id": "1" if admin else "2",
        "name": "Admin" if admin else "User",
        "permission": "/RoB" if admin else "hAg=",
    }
    if conf.BATCH_SIZE:
        group["direct_link_batch_size"] = min(conf.BATCH_SIZE, conf.MAX_BATCH_SIZE)
    return {
        "id": str(user.pk),
        "email": getattr(user, user.get_email_field_name(), ""),
        "nickname": _full_name(user) or user.get_username(),
        "created_at": rfc3339(joined or datetime.fromtimestamp(0, UTC)),
        "group": group,
    }


def _full_name(user: Any) -> str:
    name = user.get_full_name() if hasattr(user, "get_full_name") else None
    if not isinstance(name, str):
        return ""
    if None in (getattr(user, "first_name", ""), getattr(user, "last_name", "")):
        # As Django's own get_full_name() writes a name that is missing.
        name = " ".join(word for word in name.split() if word != "None")
    return name.strip()


def user_by_credentials(request: HttpRequest, *, login: str, password: str) -> Any:
    """Return the active user whose username, or else unique e-mail address, is ``login``.

    The site's authentication backends decide. The password hasher always runs exactly once, so
    neither the answer nor its time tells an unknown name from a wrong password. Raise
    IncorrectCredentials, or AccountNotActivated if the password is right.
    """
    known = _user_called(login)
    if known is not None and not is_active(known):
        # Backends refuse inactive users without saying whether the password was right. They look
        # the user up once more, and so do we: the work is the same in each case.
        known.refresh_from_db(using=known._state.db)
        if known.check_password(password):
            raise AccountNotActivated
        raise IncorrectCredentials
    name = login if known is None else known.get_username()
    field = get_user_model().USERNAME_FIELD
    user = authenticate(request, **{field: name, "password": password})
    if user is None:
        raise IncorrectCredentials
    if not is_active(user):
        raise AccountNotActivated
    return user


def _user_called(login: str) -> Any | None:
    """Return the user called ``login``, if any, with one query."""
    model = get_user_model()
    called = Q(**{model.USERNAME_FIELD: login})
    email = model.get_email_field_name()
    if any(field.name == email for field in model._meta.get_fields()):
        called |= Q(**{f"{email}__iexact": login})
    found: list[Any] = list(users().filter(called))
    named = [user for user in found if user.get_username() == login]
    candidates = named or found
    return candidates[0] if len(candidates) == 1 else None


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

    def post(self, request: Request) -> Response:
        count_attempt(conf.LOGIN_RATE, django_request(request), scope="login")
        credentials = self.body(LoginSerializer, request)
        user = user_by_credentials(
            django_request(request), login=credentials["email"], password=credentials["password"]
        )
        account = logged_in_user(user)
        return Response(envelope.success({"user": account, "token": token_pair(user)}))

    def delete(self, request: Request) -> Response:
        discard(self.body(RefreshTokenSerializer, request)["refresh_token"])
        return Response(envelope.success(""))


class RefreshView(SessionView):
    """POST a refresh token for a new pair."""

    def post(self, request: Request) -> Response:
        refresh_token = self.body(RefreshTokenSerializer, request)["refresh_token"]
        return Response(envelope.success(exchange(refresh_token)))
