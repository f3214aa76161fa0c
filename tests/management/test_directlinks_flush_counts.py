"""``manage.py directlinks_flush_counts``"""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.contrib.counters import deferred
from directlinks.contrib.counters.journal import JournalCounter
from directlinks.counters.base import get_counter
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_journal(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 3600.0)
    options = {"directory": tmp_path}
    settings.DIRECTLINKS = {"COUNTER": {"BACKEND": "journal", "OPTIONS": options}}


def fold(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("directlinks_flush_counts", *arguments, stdout=out, no_color=True)
    return out.getvalue().splitlines()


def left_behind(directory: Path, times: int) -> None:
    counter, link = JournalCounter(directory), DirectLinkFactory()
    for _ in range(times):
        assert counter.count(link.pk, timezone.now())
    counter.close()


def test_it_adds_what_lies_there(tmp_path: Path) -> None:
    left_behind(tmp_path, 2)
    assert fold() == ["Downloads: 2 added."]
    left_behind(tmp_path, 1)
    assert fold() == ["Downloads: 1 added."]
    assert fold() == ["Downloads: 0 added."]


def test_a_dry_run_only_says_how_many(tmp_path: Path) -> None:
    left_behind(tmp_path, 1)
    assert fold("--dry-run") == fold("--dry-run") == ["Downloads: 1 waiting."]
    fold()
    assert fold("--dry-run") == ["Downloads: 0 waiting."]


def test_what_others_write_is_theirs_to_add(tmp_path: Path) -> None:
    counter = JournalCounter(tmp_path)
    counter.count(DirectLinkFactory().pk, timezone.now())
    assert fold() == ["Downloads: 0 added.", "Downloads: 1 waiting."]
    counter.close()


def test_it_says_what_is_in_the_way(tmp_path: Path) -> None:
    tmp_path.rename(tmp_path.with_name("moved"))
    with pytest.raises(CommandError, match="No such file or directory"):
        fold()


def test_a_site_that_counts_in_its_database_has_nothing_to_fold(settings: Settings) -> None:
    settings.DIRECTLINKS = {}
    assert fold() == ["Downloads: 0 added."]
    assert get_counter().in_database
