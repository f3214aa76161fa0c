"""Which counter a site has, and that it is the same one at each visit."""

from pathlib import Path

import pytest
from django.apps import apps
from pytest_django.fixtures import Settings

from directlinks.contrib.counters.journal import JournalCounter
from directlinks.contrib.counters.redis import RedisCounter
from directlinks.counters.base import Counter, get_counter, make_counter
from directlinks.counters.database import DatabaseCounter


def test_it_counts_in_the_database_unless_it_is_told_otherwise() -> None:
    assert isinstance(get_counter(), DatabaseCounter)
    assert get_counter() is get_counter()


def test_the_same_choice_is_the_same_counter(settings: Settings, tmp_path: Path) -> None:
    def choose(name: str) -> Counter:
        options = {"directory": str(tmp_path / name)}
        settings.DIRECTLINKS = {"COUNTER": {"BACKEND": "journal", "OPTIONS": options}}
        return get_counter()

    first, second = choose("a"), choose("b")
    assert first is not second
    assert (choose("a"), get_counter()) == (first, first)


def test_tenants_with_schemas_are_counted_in_the_database(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_installed = apps.is_installed
    chosen = {"BACKEND": "journal", "OPTIONS": {"directory": str(tmp_path)}}
    with monkeypatch.context() as patch:
        patch.setattr(
            apps, "is_installed", lambda app: app == "tenant_schemas" or is_installed(app)
        )
        settings.DIRECTLINKS = {"COUNTER": chosen}
        assert isinstance(get_counter(), DatabaseCounter)
    settings.DIRECTLINKS = {"COUNTER": chosen}
    assert isinstance(get_counter(), JournalCounter)


def test_names_and_dotted_paths(tmp_path: Path) -> None:
    journal = make_counter({"BACKEND": "journal", "OPTIONS": {"directory": tmp_path}})
    redis = make_counter({"BACKEND": "redis", "OPTIONS": {"url": "redis://127.0.0.1:1/0"}})
    assert isinstance(journal, JournalCounter)
    assert isinstance(redis, RedisCounter)
    path = "directlinks.counters.database.DatabaseCounter"
    assert isinstance(make_counter({"BACKEND": path}), DatabaseCounter)


@pytest.mark.parametrize(
    ("chosen", "error"),
    [("journal", TypeError), ({"BACKEND": "no_such_module.Counter"}, ImportError)],
)
def test_what_cannot_be_made_says_why(chosen: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        make_counter(chosen)


def test_a_counter_in_the_database_has_nothing_to_fold() -> None:
    counter = DatabaseCounter()
    assert (counter.flush(), counter.pending(), counter.check()) == (0, 0, [])
    counter.close()
