"""The written statements of a batch and the plain ones: the same on whatever the tables hold."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models.fields import Field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directlinks.core import paths
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File, FormerCode
from directlinks.sql import get_batch_queries
from directlinks.sql.batches import BatchQueries, Found, NewLinks, Place, RawBatchQueries
from directlinks.sql.orm import ORMBatchQueries
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
PATHS = ["a", "A", "b/a", "é", "e\u0301", "a ", "漢/字.txt", "%s", "'\"\\", "x" * 200 + "/y"]
CODES = ["aaaa", "AAAA", "bbbb", "cccc", "dddd", "eeee"]

paths_ = st.sampled_from(PATHS)
owners = st.integers(0, 2)
# A file: whose, where, and what became of it; and its links: their names, and what became of them.
files = st.lists(
    st.tuples(
        owners,
        paths_,
        st.sampled_from(["live", "live", "trashed"]),
        st.lists(
            st.tuples(st.sampled_from(["own", "former"]), st.booleans()), max_size=3, unique=True
        ),
    ),
    max_size=8,
    unique_by=lambda file: (file[0], paths.nfc(file[1])),
)
places = st.lists(st.tuples(owners, paths_), max_size=25, unique=True)

every_time = settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fill(rows: Any) -> list[Any]:
    """Make what ``files`` describes, and return the owners."""
    users: list[Any] = UserFactory.create_batch(3)
    for owner, path, fate, links in rows:
        file = FileFactory(owner=users[owner], path=path)
        for kind, reusable in links:
            name = file.name if kind == "own" else "former name"
            DirectLinkFactory(file=file, name=name, reuse_name=name if reusable else None)
        if fate == "trashed":
            file.trash()
    return users


def both() -> tuple[BatchQueries, BatchQueries]:
    written = get_batch_queries()
    assert isinstance(written, RawBatchQueries)
    return written, ORMBatchQueries("default")


def facts(instance: Any) -> dict[str, Any]:
    """All columns, those included that are read only now."""
    fields: list[Field[Any, Any]] = list(instance._meta.concrete_fields)
    return {field.attname: getattr(instance, field.attname) for field in fields}


def by_key(users: list[Any]) -> dict[Any, Any]:
    return {user.pk: user for user in users}


def found(batches: BatchQueries, wanted: list[Place], users: list[Any]) -> tuple[Any, Any]:
    files, links = batches.fetch(wanted, by_key(users))
    return (
        {place: facts(file) for place, file in files.items()},
        {key: facts(link.instance()) for key, link in links.items()},
    )


@every_time
@given(rows=files, asked=places)
def test_they_find_the_same_files_and_links(rows: Any, asked: Any) -> None:
    with undone():
        users = fill(rows)
        wanted = [(users[owner].pk, path) for owner, path in asked]
        written, plain = both()
        assert found(written, wanted, users) == found(plain, wanted, users)


@every_time
@given(
    rows=files,
    taken=st.sampled_from([None, *CODES]),
    former=st.sampled_from([None, *CODES]),
    gone=st.booleans(),
    guarded=st.booleans(),
)
def test_they_make_the_same_links(
    rows: Any, taken: str | None, former: str | None, gone: bool, guarded: bool
) -> None:
    with undone():
        fill(rows)
        creator = UserFactory()
        if taken is not None:
            DirectLinkFactory(code=taken)
        if former is not None:
            FormerCode.objects.create(code=former, link=DirectLinkFactory())
        wanted_files = list(File.objects.order_by("pk")[: len(CODES)])
        if gone and wanted_files:
            File.objects.filter(pk=wanted_files[0].pk).delete()
        wanted = NewLinks(
            wanted_files, CODES[: len(wanted_files)], {"created_by": creator}, guarded
        )
        outcomes = []
        for batches in both():
            with undone():
                made = batches.make(wanted)
                outcomes.append(rows_of_links())
                assert {link.pk for link in made} <= set(stored(made))
                assert [facts(link) for link in made] == [
                    facts(stored(made)[link.pk]) for link in made
                ]
        assert outcomes[0] == outcomes[1]


def stored(links: list[Any]) -> dict[int, Any]:
    return DirectLink.objects.in_bulk([link.pk for link in links])


def rows_of_links() -> list[dict[str, Any]]:
    """All links, but for what no two runs have in common."""
    rows = [facts(link) for link in DirectLink.objects.order_by("file_id", "code")]
    return [{**row, "id": None, "created_at": None} for row in rows]


def test_a_file_whose_digest_is_of_another_path_is_not_found_by_it() -> None:
    file = FileFactory(path="a")
    File.objects.filter(pk=file.pk).update(path="b")
    for batches in both():
        assert batches.fetch([(file.owner_id, "a")], by_key([file.owner])) == Found({}, {})


def test_what_is_found_has_what_leads_to_it_at_hand(django_assert_num_queries: Any) -> None:
    link = DirectLinkFactory(reuse_name="a", name="a", file__path="a")
    owner, place = link.file.owner, (link.file.owner_id, "a")
    for batches in both():
        files, links = batches.fetch([place], by_key([owner]))
        with django_assert_num_queries(0):
            assert files[place].owner is owner
            assert links[link.file_id].file is files[place]
            assert links[link.file_id].instance().file is files[place]


def test_a_batch_of_nothing_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert get_batch_queries().fetch([], {}) == Found({}, {})
        assert get_batch_queries().make(NewLinks([], [], {"created_by": None}, False)) == []


def test_thousands_are_found_and_made_by_one_statement_each(django_assert_num_queries: Any) -> None:
    content = FileFactory(path="x").content.name
    users = UserFactory.create_batch(2)
    names = [f"folder/{number}.txt" for number in range(2500)]
    File.objects.bulk_create(
        File(
            owner=user,
            path=name,
            path_key=paths.key(name),
            path_head=name,
            content=content,
            content_updated_at=NOW,
        )
        for user in users
        for name in names
    )
    batches = get_batch_queries()
    wanted = [(user.pk, name) for user in users for name in names]
    with django_assert_num_queries(1):
        files = batches.fetch(wanted, by_key(users)).files
    found = sorted(files.values(), key=lambda file: file.pk)
    assert [(file.owner_id, file.path) for file in found] == wanted
    codes = [f"code{number}" for number in range(len(found))]
    with django_assert_num_queries(1):
        made = batches.make(NewLinks(found, codes, {"created_by": users[0]}, False))
    assert sorted(link.code for link in made) == sorted(codes)
    assert len(batches.fetch(wanted, by_key(users)).links) == len(found)


def test_few_files_are_read_whole_and_many_without_their_moments(
    django_assert_num_queries: Any,
) -> None:
    owner = UserFactory()
    names = [FileFactory(owner=owner).path for _ in range(11)]
    batches = get_batch_queries()
    few, many = (
        list(batches.fetch([(owner.pk, name) for name in some], by_key([owner])).files.values())
        for some in (names[:10], names)
    )
    with django_assert_num_queries(0):
        assert all(file.created_at and file.version and file.is_live for file in few)
    assert many[0].get_deferred_fields() >= {"created_at", "updated_at", "content_updated_at"}
    assert many[0].created_at == File.objects.get(pk=many[0].pk).created_at


@pytest.mark.parametrize(
    ("vendor", "version"), [("sqlite", (3, 37, 2)), ("mysql", (10, 5, 9)), ("oracle", ())]
)
def test_a_database_without_the_means_is_asked_plainly(
    monkeypatch: pytest.MonkeyPatch, vendor: str, version: tuple[int, ...]
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setattr(connection, "mysql_is_mariadb", True, raising=False)
    monkeypatch.setattr(connection, "mysql_version", version, raising=False)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert isinstance(get_batch_queries(), ORMBatchQueries)
