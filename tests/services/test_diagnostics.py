"""What is found at a link, and what is not worth finding."""

import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from pytest_django.fixtures import Settings

from directlinks import querysets
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.services.diagnostics import Finding, Kind, _remote_fault, examine
from directlinks.storage import content_storage
from tests.factories import DirectLinkFactory, FileFactory, UserFactory, owner_of
from tests.storages import Bucket, as_another_user, no_more_files

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
BUCKET = {"BACKEND": "tests.storages.Bucket"}


def findings(kinds: Collection[Kind] = frozenset(Kind), *, remote: bool = False) -> list[Finding]:
    steps = examine(now=NOW, unused_for=90 * DAY, kinds=kinds, ask_remote=remote)
    return [finding for step in steps for finding in step.findings]


def kinds_found() -> list[Kind]:
    return [finding.kind for finding in findings()]


def link_made(days_ago: timedelta, **fields: Any) -> DirectLink:
    link: DirectLink = DirectLinkFactory(**fields)
    DirectLink.objects.filter(pk=link.pk).update(created_at=NOW - days_ago)
    return link


def without_bytes() -> DirectLink:
    link = link_made(DAY)
    Path(link.file.content.path).unlink()
    return link


def without_content() -> DirectLink:
    return link_made(DAY, file__content="")


def with_a_named_pipe() -> DirectLink:
    link = without_bytes()
    os.mkfifo(link.file.content.path)
    return link


def that_grew() -> DirectLink:
    link = link_made(DAY)
    with Path(link.file.content.path).open("ab") as file:
        file.write(b"more")
    os.utime(link.file.content.path, (0, 0))
    return link


def that_was_rewritten() -> DirectLink:
    """In the same length, two minutes after the record was saved."""
    link = link_made(DAY)
    later = link.file.updated_at.timestamp() + 120
    os.utime(link.file.content.path, (later, later))
    return link


def of_inactive_owner() -> DirectLink:
    return link_made(DAY, file__owner=UserFactory(is_active=False))


def expired() -> DirectLink:
    return link_made(100 * DAY, expires_at=NOW)


def never_used() -> DirectLink:
    return link_made(90 * DAY)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (without_bytes, Kind.BYTES_MISSING),
        (without_content, Kind.BYTES_MISSING),
        (with_a_named_pipe, Kind.UNREADABLE),
        (that_grew, Kind.DRIFTED),
        (that_was_rewritten, Kind.DRIFTED),
        (of_inactive_owner, Kind.OWNER_INACTIVE),
        (expired, Kind.EXPIRED),
        (never_used, Kind.NEVER_USED),
    ],
)
def test_each_broken_link_is_one_finding(broken: Callable[[], DirectLink], kind: Kind) -> None:
    DirectLinkFactory()
    link = broken()
    assert findings() == [
        Finding(
            kind=kind,
            link=link.pk,
            code=f"{link.code[:4]}…",
            owner=owner_of(link.file).username,
            path=link.file.path,
        )
    ]
    assert [finding.kind for finding in findings([kind])] == [kind]
    assert findings(set(Kind) - {kind}) == []


@pytest.mark.parametrize(
    ("age", "fields"),
    [
        (90 * DAY - TICK, {}),
        (DAY, {"expires_at": NOW + TICK}),
        (100 * DAY, {"downloads": 1}),
        (100 * DAY, {"paused": True}),
        (100 * DAY, {"not_before": NOW - DAY}),
        (100 * DAY, {"revoked_at": NOW}),
    ],
)
def test_what_is_as_somebody_wants_it_is_no_finding(age: timedelta, fields: dict[str, Any]) -> None:
    link_made(age, **fields)
    assert kinds_found() == []


def test_what_is_in_the_trash_is_no_finding() -> None:
    without_bytes().file.trash()
    assert kinds_found() == []


def test_what_the_site_may_not_read_is_a_finding() -> None:
    link = link_made(DAY)
    Path(link.file.content.path).chmod(0)
    with as_another_user():
        assert kinds_found() == [Kind.UNREADABLE]


def test_what_the_machine_cannot_read_now_is_a_finding() -> None:
    link_made(DAY)
    with no_more_files():
        assert kinds_found() == [Kind.UNREADABLE]


def test_a_link_may_have_several_faults() -> None:
    link = link_made(DAY, file__owner=UserFactory(is_active=False), expires_at=NOW)
    Path(link.file.content.path).unlink()
    assert kinds_found() == [Kind.BYTES_MISSING, Kind.OWNER_INACTIVE, Kind.EXPIRED]


class TestRemoteStorage:
    @pytest.fixture(autouse=True)
    def _bucket(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.STORAGES = {**settings.STORAGES, "directlinks": BUCKET}
        monkeypatch.setattr(File._meta.get_field("content"), "storage", content_storage())

    def test_is_asked_only_if_wanted(self) -> None:
        link = DirectLinkFactory()
        assert findings(remote=True) == []
        content_storage().delete(link.file.content.name)
        assert findings() == []
        assert [finding.kind for finding in findings(remote=True)] == [Kind.BYTES_MISSING]

    @pytest.mark.parametrize("remote", [True, False])
    def test_is_not_asked_for_nothing(self, remote: bool) -> None:
        without_content()
        assert [finding.kind for finding in findings(remote=remote)] == [Kind.BYTES_MISSING]

    def test_is_asked_once_for_each_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        file = FileFactory(content=ContentFile(b"bytes", name="x"))
        for _ in range(3):
            DirectLinkFactory(file=file)
        exists = content_storage().exists

        def note(name: str) -> bool:
            asked.append(name)
            return exists(name)

        monkeypatch.setattr(content_storage(), "exists", note)
        assert findings(remote=True) == []
        assert asked == [file.content.name]


def test_a_step_is_one_statement(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(querysets, "STEP", 4)
    for _ in range(10):
        never_used()
    with django_assert_num_queries(3):
        steps = list(examine(now=NOW, unused_for=DAY))
    assert [(step.links, len(step.findings)) for step in steps] == [(4, 4), (4, 4), (2, 2)]


class Refusing(Bucket):
    """A storage that answers each question with an error."""

    error: Exception

    def exists(self, name: str) -> bool:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OSError(5, "no answer"), Kind.UNREADABLE), (FileNotFoundError(), Kind.BYTES_MISSING)],
)
def test_a_storage_that_refuses_to_tell_is_a_finding(error: Exception, kind: Kind) -> None:
    storage = Refusing()
    storage.error = error
    fault = _remote_fault(storage, "a.txt")
    assert fault is not None
    assert fault.kind is kind
