"""``manage.py directlinks_prune`` as whoever runs it sees it."""

import errno
import os
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError
from django.db.models import Model
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks import querysets
from directlinks.models import DailyDownloads, DirectLink, FlushedBatch, IdempotentRequest
from directlinks.storage import content_storage
from tests.factories import DirectLinkFactory, UserFactory
from tests.management.terminals import Terminal, interrupted, said, typing

pytestmark = pytest.mark.django_db

LOST = f"directlinks/{'a' * 32}/cat.jpg"
TABLES: list[type[Model]] = [DirectLink, DailyDownloads, FlushedBatch, IdempotentRequest]


class ReadOnly(FileSystemStorage):
    def delete(self, name: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def prune(*args: object, into: StringIO | None = None) -> str:
    return said("directlinks_prune", *args, into=into)


def rows() -> list[list[dict[str, Any]]]:
    return [list(table._default_manager.order_by("pk").values()) for table in TABLES]


@pytest.fixture(autouse=True)
def _litter() -> None:
    """Two of each that are old and dead, and one that is not."""
    now = timezone.now()
    for age in (0, 500, 501):
        then = now - timedelta(days=age)
        link = DirectLinkFactory(revoked_at=then)
        DailyDownloads.objects.create(link=link, day=then, downloads=1)
        FlushedBatch.objects.create(name=str(age), flushed_at=then)
        IdempotentRequest.objects.create(user=UserFactory(), key="x", digest="", created_at=then)
    stored = content_storage().save(LOST, ContentFile(b"bytes"))
    os.utime(content_storage().path(stored), (0, 0))


def test_what_nobody_misses_goes_by_itself() -> None:
    assert prune() == ("Removed: 2 answers to requests, 2 batches of counts, 2 counts of days.\n")
    assert prune() == "Removed: nothing.\n"
    assert DirectLink.objects.count() == 3
    assert content_storage().exists(LOST)


@pytest.mark.parametrize(("days", "left"), [("0", 1), ("500", 2), ("501", 3)])
def test_how_old_is_old_can_be_said(days: str, left: int) -> None:
    prune("--days", days)
    assert DailyDownloads.objects.count() == left


def test_links_go_on_request() -> None:
    assert "2 counts of days, 2 links.\n" in prune("--links")
    assert DirectLink.objects.count() == 1


def test_links_with_codes_that_could_come_back_stay(settings: Settings) -> None:
    settings.DIRECTLINKS = {"CODE_LENGTH": 8}
    before = rows()
    with pytest.raises(CommandError, match="less than 64 random bits"):
        prune("--links")
    assert rows() == before


def test_bytes_go_on_request() -> None:
    assert prune("--bytes").endswith("1 contents without a file.\n")
    assert not content_storage().exists(LOST)


def test_bytes_that_cannot_be_removed_are_told(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = f"{ReadOnly.__module__}.{ReadOnly.__qualname__}"
    settings.STORAGES = {**settings.STORAGES, "directlinks": {"BACKEND": backend}}
    out = StringIO()
    with pytest.raises(CommandError, match="1 could not be removed"):
        prune("--bytes", into=out)
    assert capsys.readouterr().err == f"{LOST}: [Errno 30] Read-only file system\n"
    assert out.getvalue().endswith("2 counts of days.\n")


def test_a_storage_may_be_unable_to_tell(settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "directlinks": {"BACKEND": "django.core.files.storage.Storage"},
    }
    with pytest.raises(CommandError, match="The storage cannot list its contents"):
        prune("--bytes")


def test_a_dry_run_only_says_what_would_go() -> None:
    before = rows()
    assert prune("--links", "--bytes", "--dry-run") == (
        f"{LOST}: would be removed\n"
        "Removed: 2 answers to requests, 2 batches of counts, 2 counts of days, 2 links, "
        "1 contents without a file. (dry run: nothing was changed)\n"
    )
    assert rows() == before
    assert content_storage().exists(LOST)


class TestTerminal:
    def test_is_asked_about_links_and_bytes(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = rows()
        for options, what in (
            (["--links"], "links that ended 400 days ago or earlier"),
            (["--bytes", "--days=9"], "contents without a file"),
            (
                ["--bytes", "--links", "--days=9"],
                "links that ended 9 days ago or earlier and contents without a file",
            ),
        ):
            with typing("n\n", monkeypatch), pytest.raises(CommandError, match="Nothing was rem"):
                prune(*options)
            assert capsys.readouterr().err == f"Remove {what} for good? [y/N] "
        assert rows() == before

    @pytest.mark.parametrize(
        ("answer", "options"), [("y\n", ()), ("n\n", ("--yes",)), ("n\n", ("--dry-run",))]
    )
    def test_goes_on_after_yes(
        self, answer: str, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with typing(answer, monkeypatch):
            assert "2 links" in prune("--links", *options)

    def test_is_not_asked_about_what_nobody_misses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with typing("n\n", monkeypatch):
            assert "2 counts of days" in prune()

    def test_sees_how_far_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(querysets, "STEP", 1)
        assert prune("--bytes", into=Terminal()).startswith(
            "\r\x1b[K1 answers to requests\r\x1b[K2 answers to requests\r\x1b[K1 batches of counts"
        )


@pytest.mark.django_db(transaction=True)
def test_an_interrupt_leaves_whole_steps_and_the_rest_can_be_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(querysets, "STEP", 1)
    out = StringIO()
    with (
        interrupted("directlinks_dailydownloads", "DELETE", after=1),
        pytest.raises(CommandError, match="Run the same command again"),
    ):
        prune(into=out)
    assert out.getvalue() == (
        "Removed: 2 answers to requests, 2 batches of counts, 1 counts of days.\n"
    )
    assert prune() == "Removed: 1 counts of days.\n"
