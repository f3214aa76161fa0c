"""User models with and without a field for it."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db.models import Q

from directlinks.policies import is_admin
from directlinks.users import active_where, is_active

# Of these a column of booleans never gives one back, but a model of another kind may.
NOT_TRUE: list[Any] = [False, None, 0, 1, 2, "True", User]


@pytest.mark.parametrize(
    ("user", "active"),
    [
        (User(), True),
        (Group(), True),
        (AnonymousUser(), False),
        *((User(is_active=value), False) for value in NOT_TRUE),
    ],
)
def test_only_the_value_true_is_active(user: object, active: bool) -> None:
    assert is_active(user) == active


@pytest.mark.parametrize(
    ("user", "admin"),
    [
        (User(is_staff=True), True),
        (Group(), False),
        *((User(is_staff=value), False) for value in NOT_TRUE),
    ],
)
def test_only_the_value_true_is_staff(user: object, admin: bool) -> None:
    assert is_admin(user) == admin


@pytest.mark.parametrize(
    ("model", "where"),
    [(User, Q(owner__isnull=True) | Q(owner__is_active__in=[True])), (Group, Q())],
)
def test_a_condition_is_put_only_if_there_is_a_field(model: Any, where: Q) -> None:
    assert active_where(model, "owner") == where
