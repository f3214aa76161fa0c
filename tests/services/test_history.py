"""Who changed which link, as Django's admin shows it."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser
from django.test import modify_settings
from django.utils import translation

from directlinks.services.history import remember
from tests.factories import DirectLinkFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_many_links_are_one_statement(django_assert_num_queries: Any) -> None:
    user, links = UserFactory(), DirectLinkFactory.create_batch(3, name="a")
    remember(links[:1], ["paused"], user=user)  # asks once for the content type
    with django_assert_num_queries(1):
        remember(iter(links), ["paused", "expires_at"], user=user)
    assert LogEntry.objects.count() == 4
    entry = LogEntry.objects.filter(object_id=str(links[2].pk)).get()
    assert (entry.user, entry.action_flag, entry.object_repr) == (user, CHANGE, "a")
    assert entry.get_edited_object() == links[2]
    assert entry.get_change_message() == "Changed paused and expires at."


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_what_nobody_did_is_not_written_down(user: Any) -> None:
    remember([DirectLinkFactory()], ["paused"], user=user)
    assert not LogEntry.objects.exists()


def test_nothing_done_is_nothing_written(django_assert_num_queries: Any) -> None:
    user = UserFactory()
    with django_assert_num_queries(0):
        remember([], ["paused"], user=user)


def test_a_site_without_admin_keeps_no_history() -> None:
    with modify_settings(INSTALLED_APPS={"remove": "django.contrib.admin"}):
        remember([DirectLinkFactory()], ["paused"], user=UserFactory())
    assert not LogEntry.objects.exists()


def test_it_is_kept_in_the_language_of_the_code() -> None:
    with translation.override("zh-hans"):
        remember([DirectLinkFactory()], ["max_downloads"], user=UserFactory())
    message = LogEntry.objects.get().change_message
    assert json.loads(message) == [{"changed": {"fields": ["download limit"]}}]
