"""From a name and a password to a user, giving nothing away about who exists."""

from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.db.models import Q
from django.http import HttpRequest

from directlinks.core.errors import AccountNotActivated, IncorrectCredentials
from directlinks.users import is_active, users


def user_by_credentials(request: HttpRequest, *, login: str, password: str) -> Any:
    """The active user whose user name, or else whose e-mail address alone, is ``login``.

    The site's authentication backends decide. The password hasher always runs exactly once,
    so neither the answer nor its time tells an unknown name from a wrong password. Raises
    IncorrectCredentials, and AccountNotActivated only for those who know the password.
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
