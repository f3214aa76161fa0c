"""What is dead and old, and may go without anybody missing it."""

import errno
import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks import querysets
from directlinks.datetimes import as_stored
from directlinks.models import (
    DailyDownloads,
    DirectLink,
    File,
    FlushedBatch,
    FormerCode,
    IdempotentRequest,
    UnusedContent,
)
from directlinks.services import pruning
from directlinks.storage import content_storage
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 17, tzinfo=UTC))  # the fifth in the time zone of the tests
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


class Undated(Bucket):
    """A storage whose contents were stored at one moment, which it gives without a time zone."""

    def get_modified_time(self, name: str) -> datetime:
        return datetime(2026, 5, 1, 12)  # noqa: DTZ001  # as some storages do


class Refusing(Undated):
    """A storage that refuses some names."""

    refused: Collection[str] = ()

    def get_modified_time(self, name: str) -> datetime:
        self._refuse(name)
        return super().get_modified_time(name)

    def delete(self, name: str) -> None:
        self._refuse(name)
        super().delete(name)

    def _refuse(self, name: str) -> None:
        if name in self.refused:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_answers_to_requests_can_be_repeated_for_a_day() -> None:
    user = UserFactory()
    for key, age in (("young", DAY - TICK), ("old", DAY)):
        IdempotentRequest.objects.create(user=user, key=key, digest="", created_at=NOW - age)
    assert [request.key for request in pruning.old_requests(NOW)] == ["old"]


def test_batches_of_counts_are_known_for_a_year() -> None:
    for name, age in (("young", 366 * DAY), ("old", 366 * DAY + TICK)):
        FlushedBatch.objects.create(name=name, flushed_at=NOW - age)
    assert [batch.name for batch in pruning.old_batches(NOW)] == ["old"]


def test_days_are_those_of_the_sites_time_zone() -> None:
    link = DirectLinkFactory()
    for day in (24, 25, 26):
        DailyDownloads.objects.create(link=link, day=f"2026-04-{day}", downloads=1)
    assert [row.day.day for row in pruning.old_days(NOW, 10 * DAY)] == [24]


@pytest.mark.parametrize(
    ("limits", "dead"),
    [
        ({}, False),
        ({"created_at": NOW - 9 * DAY}, False),
        ({"paused": True}, False),
        ({"revoked_at": NOW - 2 * DAY - TICK}, True),
        ({"revoked_at": NOW - 2 * DAY}, False),
        ({"expires_at": NOW - 2 * DAY - TICK}, True),
        ({"expires_at": NOW - DAY}, False),
        ({"max_downloads": 1, "downloads": 1, "last_opened_at": NOW - 3 * DAY}, True),
        ({"max_downloads": 1, "downloads": 1, "last_opened_at": NOW - DAY}, False),
        ({"max_downloads": 2, "downloads": 1, "last_opened_at": NOW - 3 * DAY}, False),
    ],
)
def test_a_link_is_dead_when_it_ended_long_ago(limits: dict[str, Any], dead: bool) -> None:
    DirectLinkFactory(**limits)
    assert pruning.dead_links(NOW, 2 * DAY).exists() is dead


@pytest.mark.parametrize(
    ("codes", "never"),
    [
        ({}, True),
        ({"CODE_LENGTH": 10}, False),
        ({"CODE_LENGTH": 11}, True),  # log2(57) * 11 = 64.2
        ({"CODE_LENGTH": 63, "CODE_ALPHABET": "ab"}, False),
        ({"CODE_LENGTH": 64, "CODE_ALPHABET": "ab"}, True),
    ],
)
def test_codes_return_unless_they_hold_64_random_bits(
    settings: Settings, codes: dict[str, Any], never: bool
) -> None:
    settings.DIRECTLINKS = codes
    assert pruning.codes_never_return() is never


class TestDeleting:
    def test_goes_step_by_step_and_takes_along_what_belongs_to_it(
        self, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        monkeypatch.setattr(querysets, "STEP", 2)
        for number in range(3):
            link = DirectLinkFactory(revoked_at=NOW - 3 * DAY)
            DailyDownloads.objects.create(link=link, day="2026-01-01", downloads=number)
            FormerCode.objects.create(link=link, code=f"former{number}")
        left = DirectLinkFactory()
        # For each of two steps: two reads, a lock, and a DELETE for each of three tables.
        locks = int(connection.features.has_select_for_update)
        with django_assert_num_queries(2 * (5 + locks)):
            assert list(pruning.delete_in_steps(pruning.dead_links(NOW, DAY))) == [2, 1]
        assert DirectLink.objects.get() == left
        assert not DailyDownloads.objects.exists()
        assert not FormerCode.objects.exists()

    def test_leaves_what_became_alive_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(querysets, "STEP", 1)
        first, second = (DirectLinkFactory(expires_at=NOW - 3 * DAY) for _ in range(2))
        steps = pruning.delete_in_steps(pruning.dead_links(NOW, DAY))
        assert next(steps) == 1
        DirectLink.objects.filter(pk=second.pk).update(expires_at=None)
        assert list(steps) == []
        assert DirectLink.objects.get() == second
        assert first != second


def unexpected(name: str, error: Exception) -> None:  # pragma: no cover
    """Fail: no fault is expected."""
    raise AssertionError(name) from error


class TestContents:
    def store(self, name: str, *, age: timedelta = 2 * DAY) -> str:
        stored = content_storage().save(name, ContentFile(b"bytes"))
        then = (timezone.now() - age).timestamp()
        os.utime(content_storage().path(stored), (then, then))
        return stored

    def found(self) -> list[str]:
        return list(pruning.contents_without_file(content_storage(), timezone.now(), unexpected))

    def test_are_there_where_no_file_has_them(self) -> None:
        lost = self.store(f"directlinks/{'a' * 32}/cat.jpg")
        assert self.found() == [lost]

    def test_of_a_file_stay_also_in_the_trash(self) -> None:
        live, trashed = FileFactory(), FileFactory()
        for file in (live, trashed):
            os.utime(file.content.path, (0, 0))
        trashed.trash()
        assert self.found() == []
        File.objects.all().delete()
        assert len(self.found()) == 2

    @pytest.mark.parametrize(
        "name",
        [
            "elsewhere/cat.jpg",
            "directlinks/cat.jpg",
            "directlinks/folder/cat.jpg",
            f"directlinks/{'A' * 32}/cat.jpg",
            f"directlinks/{'a' * 33}/cat.jpg",
        ],
    )
    def test_that_we_did_not_store_stay(self, name: str) -> None:
        self.store(name)
        assert self.found() == []

    def test_that_are_young_may_be_waiting_for_their_file(self) -> None:
        self.store(f"directlinks/{'a' * 32}/cat.jpg", age=timedelta(hours=23))
        assert self.found() == []

    def test_are_none_where_nothing_was_stored(self) -> None:
        assert self.found() == []

    def test_of_a_storage_without_local_paths_are_found_and_removed(self) -> None:
        bucket = Undated()
        name = bucket.save(f"directlinks/{'b' * 32}/cat.jpg", ContentFile(b"bytes"))
        at = as_stored(datetime(2026, 5, 2, 12))  # noqa: DTZ001  # by the clocks of the site
        assert list(pruning.contents_without_file(bucket, at, unexpected)) == []
        assert list(pruning.contents_without_file(bucket, at + TICK, unexpected)) == [name]
        pruning.remove_contents(bucket, [name], unexpected)
        assert not bucket.exists(name)

    def test_go_with_the_folder_that_they_had(self) -> None:
        name = self.store(f"directlinks/{'a' * 32}/cat.jpg")
        pruning.remove_contents(content_storage(), [name], unexpected)
        assert not Path(content_storage().path(name)).parent.exists()
        assert Path(content_storage().path("directlinks")).exists()

    def test_leave_the_folder_where_something_else_is_in_it(self) -> None:
        name, other = (self.store(f"directlinks/{'a' * 32}/{end}") for end in ("cat", "other"))
        pruning.remove_contents(content_storage(), [name], unexpected)
        assert (content_storage().exists(name), content_storage().exists(other)) == (False, True)

    def test_of_a_move_stay_while_addresses_may_lead_to_them(self) -> None:
        lost = self.store(f"directlinks/{'a' * 32}/cat.jpg")
        note = UnusedContent(storage_alias="default", name=lost, delete_after=timezone.now() + DAY)
        note.save()
        assert self.found() == []
        note.delete()
        assert self.found() == [lost]

    def test_that_cannot_be_looked_at_do_not_hide_the_others(self) -> None:
        bucket = Refusing()
        names = [f"directlinks/{letter * 32}/cat.jpg" for letter in "abc"]
        for name in names:
            bucket.save(name, ContentFile(b"bytes"))
        bucket.refused = {names[1]}
        told: list[str] = []

        def tell(name: str, error: Exception) -> None:
            told.append(f"{name}: {error}")

        assert list(pruning.contents_without_file(bucket, NOW, tell)) == [names[0], names[2]]
        pruning.remove_contents(bucket, names, tell)
        assert told == [
            f"directlinks/{'b' * 32}: [Errno 13] Permission denied",
            f"{names[1]}: [Errno 13] Permission denied",
        ]
        assert [bucket.exists(name) for name in names] == [False, True, False]

    def test_cost_one_statement_for_each_step(
        self, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        monkeypatch.setattr(querysets, "STEP", 2)
        names = [self.store(f"directlinks/{letter * 32}/cat.jpg") for letter in "abc"]
        with django_assert_num_queries(2):
            assert self.found() == names
