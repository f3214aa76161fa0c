"""Who may manage the links of a file: one table, asked in every shape that the rule has."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from rest_framework.request import Request
from rest_framework.views import APIView

from directlinks.api.permissions import IsOwnerOrAdmin
from directlinks.models import File
from directlinks.policies import OwnerOrAdmin, site_policy
from directlinks.querysets import FileQuerySet
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.permission_table import ACTORS

pytestmark = pytest.mark.django_db

POLICY = OwnerOrAdmin()


class Nobody:
    """A site's own policy that lets nobody manage anything."""

    def allows(self, user: Any, file: File) -> bool:
        return False

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        return queryset.none()


def user_of(name: str, kwargs: dict[str, bool] | None, file: File) -> Any:
    """The actor of a row of the table, where ``file`` is what the row is about."""
    if kwargs is None:
        return AnonymousUser()
    if "owner" not in name:
        return UserFactory(**kwargs)
    for field, value in kwargs.items():
        setattr(file.owner, field, value)
    return file.owner


def may(user: Any, target: Any) -> bool:
    """Whether the permission class lets ``user`` manage ``target``."""
    request = Request(HttpRequest())
    request.user = user
    permission, view = IsOwnerOrAdmin(), APIView()
    return permission.has_permission(request, view) and permission.has_object_permission(
        request, view, target
    )


@pytest.mark.parametrize(("name", "kwargs", "expected"), [row[:3] for row in ACTORS])
class TestTheTable:
    def test_for_one_file(self, name: str, kwargs: dict[str, bool] | None, expected: bool) -> None:
        file = FileFactory()
        assert POLICY.allows(user_of(name, kwargs, file), file) == expected

    def test_for_a_file_that_does_not_exist(
        self, name: str, kwargs: dict[str, bool] | None, expected: bool
    ) -> None:
        missing = File(owner=UserFactory(), path="missing")
        assert POLICY.allows(user_of(name, kwargs, missing), missing) == expected

    def test_for_a_queryset(
        self, name: str, kwargs: dict[str, bool] | None, expected: bool
    ) -> None:
        file = FileFactory()
        user = user_of(name, kwargs, file)
        assert POLICY.filter(user, File.objects.filter(pk=file.pk)).exists() == expected

    def test_for_the_permission_class(
        self, name: str, kwargs: dict[str, bool] | None, expected: bool
    ) -> None:
        link = DirectLinkFactory()
        user = user_of(name, kwargs, link.file)
        assert (may(user, link), may(user, link.file)) == (expected, expected)


@settings(max_examples=examples(25))
@given(
    traits=st.lists(st.sampled_from([row[1] for row in ACTORS if row[1]]), min_size=1, max_size=3),
    data=st.data(),
)
def test_both_shapes_of_the_rule_agree(traits: list[dict[str, bool]], data: st.DataObject) -> None:
    users = [UserFactory(**kwargs) for kwargs in [{}, *traits]]
    owners = data.draw(st.lists(st.sampled_from(users), min_size=1, max_size=4))
    files = [FileFactory(owner=owner, content="") for owner in owners]
    asked = File.objects.filter(pk__in=[file.pk for file in files])
    for user in [AnonymousUser(), *users]:
        allowed = {file for file in files if POLICY.allows(user, file)}
        assert set(POLICY.filter(user, asked)) == allowed


def test_the_filter_narrows_what_it_is_given() -> None:
    file = FileFactory()
    file.trash()
    assert not POLICY.filter(file.owner, File.objects.live()).exists()


def test_a_user_model_without_inactive_users_is_all_active() -> None:
    class Person:
        pk = 7

    assert POLICY.allows(Person(), File(owner_id=7))
    assert not POLICY.allows(Person(), File(owner_id=8))


def test_a_site_may_have_a_policy_of_its_own(settings: Settings) -> None:
    file = FileFactory()
    assert may(file.owner, file)
    settings.DIRECTLINKS = {"POLICY": f"{__name__}.Nobody"}
    assert isinstance(site_policy(), Nobody)
    assert not may(file.owner, file)
    assert not site_policy().filter(file.owner, File.objects.all()).exists()


def test_visiting_asks_no_policy(settings: Settings) -> None:
    settings.DIRECTLINKS = {"POLICY": f"{__name__}.Nobody"}
    assert Client().get(DirectLinkFactory().get_absolute_url()).status_code == 302
