"""User models with and without a field for it."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from directlinks.users import active_where, is_active


@pytest.mark.parametrize(
    ("user", "active"), [(User(), True), (User(is_active=False), False), (Group(), True)]
)
def test_only_who_is_said_to_be_inactive_is(user: object, active: bool) -> None:
    assert is_active(user) == active


@pytest.mark.parametrize(("model", "where"), [(User, {"owner__is_active": True}), (Group, {})])
def test_a_condition_is_put_only_where_there_is_a_field(model: Any, where: dict[str, bool]) -> None:
    assert active_where(model, "owner") == where
