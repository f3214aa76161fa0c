"""Revoking a link, for good."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.core.errors import NotYourLink
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink
from directlinks.policies import OwnerOrAdmin
from directlinks.services.revoking import (
    revoke_all,
    revoke_direct_link,
    revoke_direct_links,
)
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.services.listening import heard_from
from tests.services.replicas import Replicas

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


def test_revoking_keeps_the_row_and_ends_the_reuse() -> None:
    link = DirectLinkFactory(name="a", reuse_name="a")
    other = DirectLinkFactory(name="a", reuse_name="a")
    revoke_direct_link(link, user=None, now=NOW)
    assert DirectLink.objects.filter(pk=link.pk, revoked_at=NOW, reuse_name=None).exists()
    assert DirectLink.objects.reusable().get() == other


def test_whoever_comes_second_is_told() -> None:
    link = DirectLinkFactory()
    revoke_direct_link(link, user=None, now=NOW)
    with pytest.raises(NotYourLink):
        revoke_direct_link(link, user=None, now=as_stored(datetime(2030, 1, 1, tzinfo=UTC)))
    assert DirectLink.objects.get().revoked_at == NOW


class TestMany:
    def test_they_are_read_where_they_are_written(self, settings: Settings) -> None:
        link = DirectLinkFactory()
        settings.DATABASE_ROUTERS = [Replicas()]
        owner = link.file.owner
        batch = revoke_direct_links([link.code], user=owner, policy=OwnerOrAdmin(), now=NOW)
        assert batch.items == [link.code]

    def test_those_of_the_asker_are_revoked_and_the_others_are_named(self) -> None:
        owner = UserFactory()
        links = {code: DirectLinkFactory(code=code, file__owner=owner) for code in ("bbbb", "aaaa")}
        DirectLinkFactory(code="gone", file__owner=owner, revoked_at=NOW)
        foreign = DirectLinkFactory(code="foreign")
        asked = ["bbbb", "no code", "aaaa", "foreign", "gone", "unknown", "bbbb"]
        batch = revoke_direct_links(asked, user=owner, policy=OwnerOrAdmin(), now=NOW)
        assert batch.items == ["bbbb", "aaaa"]
        assert {code: int(error.code) for code, error in batch.errors.items()} == {
            "no code": 40001,
            "foreign": 404,
            "gone": 404,
            "unknown": 404,
        }
        revoked = DirectLink.objects.filter(revoked_at=NOW, pk__in=[x.pk for x in links.values()])
        assert revoked.count() == 2
        foreign.refresh_from_db()
        assert foreign.revoked_at is None

    def test_the_number_does_not_change_the_number_of_statements(
        self, django_assert_max_num_queries: Any
    ) -> None:
        file = FileFactory()
        codes = [link.code for link in DirectLinkFactory.create_batch(40, file=file)]
        with django_assert_max_num_queries(4 + 2 + 1):  # a savepoint, and the content type
            batch = revoke_direct_links(codes, user=file.owner, policy=OwnerOrAdmin(), now=NOW)
        assert batch.items == codes

    def test_they_are_told_and_remembered_as_one(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        user, links = UserFactory(), DirectLinkFactory.create_batch(2, reuse_name="a", name="a")
        with heard_from(signals.revoked) as heard, django_capture_on_commit_callbacks(execute=True):
            assert revoke_all(iter(links), user=user, now=NOW) == 2
        assert [(fact["links"], fact["user"]) for fact in heard] == [(links, user)]
        assert {(link.revoked_at, link.reuse_name) for link in links} == {(NOW, None)}
        entries = LogEntry.objects.filter(user=user)
        assert {entry.get_change_message() for entry in entries} == {"Changed revoked at."}
        assert entries.count() == 2

    def test_nothing_left_to_revoke_is_not_told(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        link = DirectLinkFactory(revoked_at=NOW)
        with heard_from(signals.revoked) as heard, django_capture_on_commit_callbacks(execute=True):
            assert revoke_all([link], user=UserFactory(), now=NOW) == 0
        assert heard == []
        assert not LogEntry.objects.exists()
