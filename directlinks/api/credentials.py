"""From a name and a password to a user, giving nothing away about who exists."""

from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest

from directlinks.core.errors import AccountNotActivated, IncorrectCredentials


def user_by_credentials(request: HttpRequest, *, login: str, password: str) -> Any:
    """The active user whose user name, or else whose e-mail address alone, is ``login``.

    The site's authentication backends decide. The password hasher runs once whatever the outcome,
    so neither the answer nor its time tells an unknown name from a wrong password. Raises
    IncorrectCredentials, and AccountNotActivated only for those who know the password.
    """
    known = _user_called(login)
    if known is not None and not known.is_active:
        # Backends refuse inactive users without saying whether the password was right.
        if known.check_password(password):
            raise AccountNotActivated
        raise IncorrectCredentials
    name = login if known is None else known.get_username()
    field = get_user_model().USERNAME_FIELD
    user = authenticate(request, **{field: name, "password": password})
    if user is None:
        raise IncorrectCredentials
    if not user.is_active:
        raise AccountNotActivated
    return user


def _user_called(login: str) -> Any | None:
    model = get_user_model()
    by_name = model._default_manager.filter(**{model.USERNAME_FIELD: login}).first()
    if by_name is not None:
        return by_name
    email = model.get_email_field_name()
    try:
        model._meta.get_field(email)
    except FieldDoesNotExist:
        return None
    by_email = model._default_manager.filter(**{f"{email}__iexact": login})[:2]
    return by_email[0] if len(by_email) == 1 else None
