"""The questions that the tables answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from hypothesis import example, given, settings
from hypothesis import strategies as st

from directlinks import querysets
from directlinks.core.links import LinkState
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.querysets import batched, in_batches, is_everything, positions_of_folders
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
TICK = timedelta(microseconds=1)
# The characters just below and above a slash, and some that sort far from it.
NAMES = st.text("a-.!0~漢", min_size=1, max_size=2).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


def folders(owner: Any, *asked: str) -> set[str]:
    """Those of ``asked`` that are folders of ``owner``."""
    found = File.objects.folders_among([(owner.pk, path) for path in asked])
    return {path for _, path in found}


def test_live_and_trashed_are_all() -> None:
    live, trashed = FileFactory(), FileFactory()
    trashed.trash()
    assert (File.objects.live().get(), File.objects.trashed().get()) == (live, trashed)


def test_trashing_many_counts_those_that_were_live() -> None:
    files = FileFactory.create_batch(3)
    files[0].trash()
    assert File.objects.trash(NOW) == 2
    assert not File.objects.live().exists()
    assert File.objects.filter(deleted_at=NOW, path_key=None, updated_at=NOW).count() == 2


@pytest.mark.parametrize("most_owners", [1, 200])
def test_files_are_found_by_owner_and_path(
    most_owners: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("directlinks.querysets._MOST_OWNERS", most_owners)
    owner = UserFactory()
    wanted = [FileFactory(owner=owner, path=path) for path in ("a", "b/c")]
    FileFactory(owner=owner, path="d")
    FileFactory(path="a")
    FileFactory(owner=owner, path="e").trash()
    found = File.objects.at([(owner.pk, path) for path in ("a", "b/c", "e", "f")]).order_by("pk")
    assert list(found) == wanted


@pytest.mark.parametrize("most_owners", [1, 200])
def test_files_of_several_owners_are_found_at_once(
    most_owners: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("directlinks.querysets._MOST_OWNERS", most_owners)
    files = [FileFactory(path=path) for path in ("a", "b")]
    assert set(File.objects.at([(file.owner_id, file.path) for file in files])) == set(files)


class TestFolders:
    @pytest.mark.parametrize(
        "sibling", ["a-b", "a.txt", "a!", "a", "a0", "a b", "ab/c", "A/b", "b"]
    )
    def test_a_sibling_makes_no_folder(self, sibling: str) -> None:
        file = FileFactory(path=sibling)
        assert folders(file.owner, "a") == set()

    @pytest.mark.parametrize("sibling", ["a-b", "a.txt", "a!", "a0", "a b"])
    def test_a_sibling_hides_no_folder(self, sibling: str) -> None:
        owner = FileFactory(path=sibling).owner
        FileFactory(owner=owner, path="a/~")
        assert folders(owner, "a") == {"a"}

    def test_every_folder_on_the_way_to_a_file_is_one(self) -> None:
        owner = FileFactory(path="a/b/c").owner
        assert folders(owner, "a", "a/b", "a/b/c", "b") == {"a", "a/b"}

    @pytest.mark.parametrize("length", [254, 255, 256, 600, 1000])
    def test_a_long_path_is_judged_by_all_its_characters(self, length: int) -> None:
        folder = ("漢" * 79 + "/") * 13
        folder = folder[: length - 1] + "x"
        owner = FileFactory(path=folder + "/a").owner
        assert folders(owner, folder, folder[:-1], folder + "x", folder[:-1] + "y") == {folder}

    def test_a_folder_of_trashed_files_alone_is_missing(self) -> None:
        file = FileFactory(path="a/b")
        file.trash()
        assert folders(file.owner, "a") == set()
        FileFactory(owner=file.owner, path="a/c")
        assert folders(file.owner, "a") == {"a"}

    def test_a_folder_of_somebody_else_is_missing(self) -> None:
        FileFactory(path="a/b")
        assert folders(UserFactory(), "a") == set()

    def test_owners_are_not_mixed_up_in_one_question(self) -> None:
        one, other = FileFactory(path="a/b").owner, FileFactory(path="c/d").owner
        asked = [(owner.pk, path) for owner in (one, other) for path in ("a", "c")]
        assert File.objects.folders_among(asked) == {(one.pk, "a"), (other.pk, "c")}

    def test_a_thousand_are_one_statement(self, django_assert_num_queries: Any) -> None:
        owner = FileFactory(path="folder7/a").owner
        with django_assert_num_queries(1):
            found = folders(owner, *(f"folder{number}" for number in range(1000)))
        assert found == {"folder7"}

    @settings(max_examples=examples(60), deadline=None)
    @example(live={"a/b", "a-b/c"}, asked={"a", "a-"})
    @given(live=st.sets(PATHS, max_size=6), asked=st.sets(PATHS, min_size=1, max_size=6))
    def test_a_folder_is_what_a_path_goes_on_from_with_a_slash(
        self, live: set[str], asked: set[str]
    ) -> None:
        owner = UserFactory()
        for path in live:
            FileFactory(owner=owner, path=path, content="")
        expected = {path for path in asked if any(one.startswith(path + "/") for one in live)}
        assert folders(owner, *asked) == expected


class TestLinks:
    def test_only_links_with_a_name_for_it_are_reusable(self) -> None:
        link = DirectLinkFactory(name="a", reuse_name="a")
        DirectLinkFactory()
        assert DirectLink.objects.reusable().get() == link

    def test_a_download_is_counted_with_its_time(self) -> None:
        link, other = DirectLinkFactory(), DirectLinkFactory()
        assert DirectLink.objects.filter(pk=link.pk).count_download(NOW)
        assert DirectLink.objects.filter(pk=link.pk).count_download(NOW)
        link.refresh_from_db()
        assert (link.downloads, link.last_opened_at) == (2, NOW)
        assert DirectLink.objects.get(pk=other.pk).downloads == 0

    def test_the_download_after_the_last_is_not_counted(self) -> None:
        link = DirectLinkFactory(max_downloads=2)
        counted = [DirectLink.objects.filter(pk=link.pk).count_download(NOW) for _ in range(3)]
        assert counted == [True, True, False]
        assert DirectLink.objects.get().downloads == 2

    def test_revoking_many_counts_those_that_were_not_revoked(self) -> None:
        early = as_stored(datetime(2020, 1, 1, tzinfo=UTC))
        revoked = DirectLinkFactory(revoked_at=early)
        DirectLinkFactory.create_batch(2, name="a", reuse_name="a")
        assert DirectLink.objects.all().revoke(NOW) == 2
        assert DirectLink.objects.filter(revoked_at=NOW, reuse_name=None).count() == 2
        revoked.refresh_from_db()
        assert revoked.revoked_at == early

    @settings(max_examples=examples(60), deadline=None)
    @given(data=st.data())
    def test_the_database_judges_links_as_python_does(self, data: st.DataObject) -> None:
        moments = st.none() | st.sampled_from([NOW - TICK, NOW, NOW + TICK])
        for _ in range(data.draw(st.integers(1, 4))):
            file = FileFactory(
                content="",
                owner__is_active=data.draw(st.booleans()),
                deleted_at=data.draw(st.none() | st.just(NOW)),
            )
            DirectLinkFactory(
                file=file,
                not_before=data.draw(moments),
                expires_at=data.draw(moments),
                max_downloads=data.draw(st.none() | st.integers(0, 2)),
                downloads=data.draw(st.integers(0, 2)),
                paused=data.draw(st.booleans()),
                revoked_at=data.draw(st.none() | st.just(NOW)),
            )
        by_python: dict[LinkState, set[int]] = {state: set() for state in LinkState}
        for link in DirectLink.objects.with_file():
            by_python[link.state(NOW)].add(link.pk)
        by_database = {
            state: set(DirectLink.objects.in_state(state, NOW).values_list("pk", flat=True))
            for state in LinkState
        }
        assert by_database == by_python
        assert (
            set(DirectLink.objects.opening(NOW).values_list("pk", flat=True))
            == (by_python[LinkState.ACTIVE])
        )


class TestEverything:
    @pytest.mark.parametrize(
        ("files", "everything"),
        [
            (File.objects.all, True),
            (File.objects.filter, True),
            (lambda: File.objects.exclude(path__startswith="secret"), False),
            (File.objects.none, False),
            (lambda: File.objects.filter(pk__in=[]), False),
            (lambda: File.objects.all()[:5], False),
            (lambda: File.objects.filter(owner__is_active=True), False),
        ],
    )
    def test_only_what_has_no_condition_is_everything(
        self, files: Callable[[], Any], everything: bool
    ) -> None:
        assert is_everything(files()) is everything


def test_the_place_of_a_state_is_that_in_its_list() -> None:
    links = [
        DirectLinkFactory(),
        DirectLinkFactory(paused=True, revoked_at=NOW),
        DirectLinkFactory(max_downloads=1, downloads=1),
    ]
    places = dict(DirectLink.objects.with_state(NOW).values_list("pk", "state_place"))
    assert [list(LinkState)[places[link.pk]] for link in links] == [
        link.state(NOW) for link in links
    ]


def test_it_answers_with_positions() -> None:
    owner = FileFactory(path="b/c").owner
    asked = [(owner.pk, "a"), (owner.pk, "b"), (UserFactory().pk, "b"), (owner.pk, "b")]
    assert positions_of_folders(connections["default"], File._meta, asked) == {1, 3}


def test_a_key_may_be_given_as_text() -> None:
    owner = FileFactory(path="a/b").owner
    assert positions_of_folders(connections["default"], File._meta, [(str(owner.pk), "a")]) == {0}


def test_a_path_is_never_part_of_the_statement() -> None:
    owner = FileFactory(path="a'); DROP TABLE x; --/%s/b").owner
    asked = [(owner.pk, "a'); DROP TABLE x; --"), (owner.pk, "%s")]
    assert positions_of_folders(connections["default"], File._meta, asked) == {0}


@pytest.mark.parametrize(
    ("vendor", "is_mariadb", "row"),
    [
        ("mysql", False, "VALUES ROW(%s, %s, %s, %s, %s, %s), ROW(%s"),
        ("mysql", True, "VALUES (%s, %s, %s, %s, %s, %s), (%s"),
        ("sqlite", False, "VALUES (%s, %s, %s, %s, %s, %s), (%s"),
        ("postgresql", False, "VALUES (%s, %s::integer, %s, %s, %s, %s), (%s"),
    ],
)
def test_each_database_spells_a_row_its_own_way(
    monkeypatch: pytest.MonkeyPatch, vendor: str, is_mariadb: bool, row: str
) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setattr(connection, "mysql_is_mariadb", is_mariadb, raising=False)
    statements: list[str] = []

    def only_note(execute: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    with connection.execute_wrapper(only_note), connection.cursor() as cursor:
        monkeypatch.setattr(connection, "cursor", lambda: cursor)
        monkeypatch.setattr(cursor.cursor, "fetchall", list, raising=False)
        found = positions_of_folders(connection, File._meta, [(1, "a"), (2, "b")])
    assert found == set()
    assert row in statements[0]


@pytest.mark.parametrize(
    ("number", "steps", "statements"), [(0, [], 1), (3, [2, 1], 2), (4, [2, 2], 3)]
)
def test_each_row_is_met_once_with_a_statement_for_each_step(
    number: int,
    steps: list[int],
    statements: int,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    monkeypatch.setattr(querysets, "STEP", 2)
    links = [DirectLinkFactory() for _ in range(number)]
    with django_assert_num_queries(statements):
        met = list(in_batches(DirectLink.objects.order_by("-code")))
    assert [len(step) for step in met] == steps
    assert [link for step in met for link in step] == links


def test_the_rows_of_a_step_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "STEP", 2)
    for _ in range(5):
        DirectLinkFactory()
    for step in in_batches(DirectLink.objects.all()):
        DirectLink.objects.filter(pk__in=[link.pk for link in step]).delete()
    assert not DirectLink.objects.exists()


def test_a_long_list_is_taken_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "STEP", 2)
    assert list(batched(iter("abc"))) == [["a", "b"], ["c"]]
    assert list(batched([])) == []
