"""Many URIs in, a link or an error for each out."""

import re
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks import sql
from directlinks.core import paths
from directlinks.core.envelope import Batch
from directlinks.core.errors import (
    BatchAboveCeiling,
    LinksSwitchedOff,
    NotAFile,
    PathNotExist,
    TooManyURIs,
    UnknownURI,
)
from directlinks.models import DirectLink, File
from directlinks.policies import OwnerOrAdmin
from directlinks.services.creating import (
    IssuedLink,
    create_direct_links,
    get_reusable_links,
)
from directlinks.sql import get_batch_queries
from directlinks.sql.batches import NewLinks
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db


def create(user: Any, *paths_: str, policy: Any = None) -> Batch[IssuedLink]:
    """Ask for the files at ``paths_`` in the user's own space."""
    texts = [f"cloudreve://my/{path}" for path in paths_]
    return create_direct_links(user=user, texts=texts, policy=policy or OwnerOrAdmin())


def codes(batch: Batch[IssuedLink]) -> list[str]:
    return [item.link.code for item in batch.items]


def many_files(owner: Any, number: int) -> list[str]:
    """The paths of ``number`` files that share their bytes; made in one go."""
    content = FileFactory(owner=owner, path="shared bytes").content.name
    names = [f"file{place}.txt" for place in range(number)]
    File.objects.bulk_create(
        File(
            owner=owner,
            path=name,
            path_key=paths.key(name),
            path_head=name,
            content=content,
            version="0" * 32,
            content_updated_at=timezone.now(),
        )
        for name in names
    )
    return names


def statements(user: Any, paths_: Sequence[str]) -> list[str]:
    """The statements of one batch."""
    with CaptureQueriesContext(connection) as captured:
        create(user, *paths_)
    return [query["sql"] for query in captured]


class TestLinks:
    def test_a_file_gets_a_link_with_its_name(self) -> None:
        file = FileFactory(path="folder/a b.txt")
        (item,) = create(file.owner, "folder/a b.txt").items
        assert item.link == DirectLink.objects.get(
            file=file, name="a b.txt", reuse_name="a b.txt", created_by=file.owner
        )
        assert item.file_url == "cloudreve://my/folder/a%20b.txt"

    def test_asking_again_gives_the_same_link(self) -> None:
        file = FileFactory(path="a.txt")
        admin = UserFactory(is_staff=True)
        first = create(file.owner, "a.txt")
        again = create_direct_links(
            user=admin, texts=[f"cloudreve://{file.owner.pk}@my/a.txt"], policy=OwnerOrAdmin()
        )
        assert codes(first) == codes(again)
        assert DirectLink.objects.get().created_by == file.owner

    def test_one_file_twice_is_two_items_and_one_link(self) -> None:
        file = FileFactory(path="a.txt")
        batch = create(file.owner, "a.txt", "./a.txt", "a.txt")
        assert len(batch.items) == 3
        assert codes(batch) == [DirectLink.objects.get().code] * 3

    def test_items_come_in_the_order_asked(self) -> None:
        owner = UserFactory()
        for path in "cab":
            FileFactory(owner=owner, path=path)
        batch = create(owner, "b", "missing", "a", "c")
        assert [item.link.name for item in batch.items] == ["b", "a", "c"]
        assert list(batch.errors) == ["cloudreve://my/missing"]

    def test_one_failure_is_told_whole_and_several_in_general(self) -> None:
        owner = FileFactory(path="a").owner
        one = create(owner, "a", "missing/b", "missing/b")
        assert one.summary == (
            'failed to get target file: failed to walk into "missing": '
            "Path not exist: ent: file not found"
        )
        several = create(owner, "a", "missing/b", "missing/c")
        assert several.summary == "One or more operation failed"
        assert [error.msg for error in several.errors.values()] == ["Path not exist"] * 2

    def test_nothing_asked_is_nothing_made(self, django_assert_num_queries: Any) -> None:
        user = UserFactory()
        with django_assert_num_queries(0):
            batch = create(user)
        assert (batch.items, batch.errors) == ([], {})

    def test_after_a_rename_there_is_a_second_link_and_the_first_stays(self) -> None:
        file = FileFactory(path="a.txt")
        (old,) = create(file.owner, "a.txt").items
        file.path = "b.txt"
        file.save()
        (new,) = create(file.owner, "b.txt").items
        assert (old.link.name, new.link.name) == ("a.txt", "b.txt")
        assert create(file.owner, "b.txt").items[0].link == new.link
        assert DirectLink.objects.filter(revoked_at=None).count() == 2

    def test_a_name_that_comes_back_finds_its_old_link(self) -> None:
        file = FileFactory(path="a.txt")
        (old,) = create(file.owner, "a.txt").items
        for path in ("b.txt", "folder/a.txt"):
            file.path = path
            file.save()
        assert create(file.owner, "folder/a.txt").items[0].link == old.link

    @pytest.mark.parametrize(
        "limit",
        [
            {"paused": True},
            {"max_downloads": 1},
            {"expires_at": timezone.now()},
            {"revoked_at": timezone.now()},
        ],
    )
    def test_a_restricted_link_is_never_given_again(self, limit: dict[str, Any]) -> None:
        file = FileFactory(path="a.txt")
        (first,) = create(file.owner, "a.txt").items
        for name, value in limit.items():
            setattr(first.link, name, value)
        first.link.save()
        (second,) = create(file.owner, "a.txt").items
        assert second.link != first.link
        assert not second.link.is_restricted

    def test_a_link_with_its_own_limits_is_not_handed_out(self) -> None:
        file = FileFactory(path="a.txt")
        limited = DirectLinkFactory(file=file, max_downloads=9)
        assert create(file.owner, "a.txt").items[0].link != limited


class TestNumbers:
    @pytest.mark.parametrize(
        ("batch_size", "ceiling", "number", "error"),
        [
            (2, 3, 3, TooManyURIs),
            (2, 3, 4, BatchAboveCeiling),
            (0, 3, 1, LinksSwitchedOff),
            (0, 3, 4, BatchAboveCeiling),
            (9, 3, 4, BatchAboveCeiling),
        ],
    )
    def test_too_many_make_nothing_and_ask_nothing(
        self,
        settings: Settings,
        django_assert_num_queries: Any,
        batch_size: int,
        ceiling: int,
        number: int,
        error: type[Exception],
    ) -> None:
        settings.DIRECTLINKS = {"BATCH_SIZE": batch_size, "MAX_BATCH_SIZE": ceiling}
        owner = FileFactory(path="a.txt").owner
        with django_assert_num_queries(0), pytest.raises(error):
            create(owner, *["a.txt"] * number)

    def test_as_many_as_allowed_are_served(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BATCH_SIZE": 3, "MAX_BATCH_SIZE": 3}
        owner = FileFactory(path="a.txt").owner
        assert len(create(owner, *["a.txt"] * 3).items) == 3

    def test_the_ceiling_is_told(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"MAX_BATCH_SIZE": 1}
        with pytest.raises(BatchAboveCeiling, match="Maximum allowed batch size: 1"):
            create(UserFactory(), "a", "b")

    def test_a_text_that_is_no_uri_fails_all(self, django_assert_num_queries: Any) -> None:
        owner = FileFactory(path="a.txt").owner
        texts = ["cloudreve://my/a.txt", "https://my/a.txt"]
        with django_assert_num_queries(0), pytest.raises(UnknownURI):
            create_direct_links(user=owner, texts=texts, policy=OwnerOrAdmin())


class TestStatements:
    """Their number does not depend on the number of URIs."""

    NUMBERS = (1, 100, 1000)

    def test_links_that_exist_cost_one(self) -> None:
        owner = UserFactory()
        names = many_files(owner, 1000)
        create(owner, *names)
        counts = [len(statements(owner, names[:number])) for number in self.NUMBERS]
        assert counts == [1, 1, 1]

    def test_missing_files_cost_two(self) -> None:
        owner = FileFactory().owner
        names = [f"missing{place}" for place in range(1000)]
        counts = [len(statements(owner, names[:number])) for number in self.NUMBERS]
        assert counts == [2, 2, 2]

    def test_missing_files_in_folders_cost_two_and_a_single_one_three(self) -> None:
        owner = FileFactory().owner
        names = [f"a/b/missing{place}" for place in range(1000)]
        counts = [len(statements(owner, names[:number])) for number in self.NUMBERS]
        assert counts == [3, 2, 2]

    def test_folders_cost_two(self) -> None:
        owner = UserFactory()
        files = many_files(owner, 1000)
        for file in File.objects.filter(path__in=files):
            file.path = f"in {file.path}/a"
            file.path_key, file.path_head = paths.key(file.path), file.path
            file.save(update_fields=["path"])
        names = [f"in {name}" for name in files]
        batches = [create(owner, *names[:number]) for number in self.NUMBERS]
        assert {type(error) for batch in batches for error in batch.errors.values()} == {NotAFile}
        counts = [len(statements(owner, names[:number])) for number in self.NUMBERS]
        assert counts == [2, 2, 2]

    def test_new_links_cost_two(self) -> None:
        owners = [UserFactory() for _ in self.NUMBERS]
        batches = [
            many_files(owner, number) for owner, number in zip(owners, self.NUMBERS, strict=True)
        ]
        counts = [len(statements(*batch)) for batch in zip(owners, batches, strict=True)]
        assert counts == [2, 2, 2]

    def test_nothing_costs_more_than_four_to_find(self, django_assert_num_queries: Any) -> None:
        admin = UserFactory(is_staff=True)
        owner = FileFactory(path="a/b").owner
        texts = [f"cloudreve://{owner.pk}@my/a/c/d"]
        with django_assert_num_queries(4):
            create_direct_links(user=admin, texts=texts, policy=OwnerOrAdmin())


class TestCodes:
    """Sixteen codes in all: most rounds meet one that is taken."""

    @pytest.fixture(autouse=True)
    def _few_codes(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"CODE_LENGTH": 4, "CODE_ALPHABET": "xy"}

    def test_a_code_that_is_taken_is_drawn_again(self) -> None:
        owner = UserFactory()
        names = many_files(owner, 12)
        for _ in range(60):
            batch = create(owner, *names)
            assert len(batch.items) + len(batch.errors) == 12
        assert batch.is_complete
        assert len(set(codes(batch))) == 12
        assert all(re.fullmatch("[xy]{4}", code) for code in codes(batch))

    def test_more_files_than_codes_come_to_an_end(self) -> None:
        owner = UserFactory()
        batch = create(owner, *many_files(owner, 17))
        assert len(batch.items) + len(batch.errors) == 17
        assert len(batch.items) == len(set(codes(batch))) <= 16
        assert DirectLink.objects.count() == len(batch.items)


class DeletesMeanwhile(OwnerOrAdmin):
    """A policy in whose hands the file ``doomed`` disappears for good."""

    def __init__(self, doomed: File) -> None:
        self.doomed = doomed

    def allows(self, user: Any, file: File) -> bool:
        File.objects.filter(pk=self.doomed.pk).delete()
        return super().allows(user, file)


@pytest.mark.django_db(transaction=True)
class TestOthersAtWork:
    """Real transactions, as they are outside of tests."""

    def test_a_file_deleted_under_way_fails_alone(self) -> None:
        owner = UserFactory()
        doomed, *_ = (FileFactory(owner=owner, path=path) for path in ("a", "b", "c"))
        batch = create(owner, "b", "a", "c", policy=DeletesMeanwhile(doomed))
        assert [item.link.name for item in batch.items] == ["b", "c"]
        (error,) = batch.errors.values()
        assert isinstance(error, PathNotExist)
        assert error.element == "a"

    def test_the_only_file_deleted_under_way_is_a_missing_one(self) -> None:
        doomed = FileFactory(path="a")
        batch = create(doomed.owner, "a", policy=DeletesMeanwhile(doomed))
        assert list(batch.errors) == ["cloudreve://my/a"]
        assert not DirectLink.objects.exists()

    def test_two_who_ask_at_once_get_the_same_link(self) -> None:
        owner = FileFactory(path="a.txt").owner
        answers = at_once([partial(create, owner, "a.txt")] * 2)
        assert [codes(batch) for batch in answers] == [[DirectLink.objects.get().code]] * 2

    def test_eight_batches_that_overlap_all_succeed(self) -> None:
        owner = UserFactory()
        names = many_files(owner, 40)
        batches = [names[5 * place :] + names[: 5 * place] for place in range(8)]
        answers = at_once([partial(create, owner, *wanted) for wanted in batches])
        assert [batch.errors for batch in answers] == [{}] * 8
        issued = {item.link.file_id: item.link.code for batch in answers for item in batch.items}
        assert issued == dict(DirectLink.objects.values_list("file_id", "code"))
        assert len(issued) == 40


def at_once(calls: Sequence[Callable[[], Batch[IssuedLink]]]) -> list[Batch[IssuedLink]]:
    """What ``calls`` return when all start together, each in a thread with its own connection."""
    start = threading.Barrier(len(calls))
    answers: dict[int, Batch[IssuedLink]] = {}

    def run(place: int, call: Callable[[], Batch[IssuedLink]]) -> None:
        start.wait()
        try:
            answers[place] = call()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[place] for place in range(len(calls))]


def test_links_that_somebody_else_has_just_made_cost_one_statement_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = UserFactory()
    names = many_files(owner, 1000)
    kind = type(get_batch_queries())
    make = kind.make

    def second(batches: Any, wanted: NewLinks) -> Any:
        monkeypatch.setattr(kind, "make", make)
        get_reusable_links(wanted.files, created_by=None)
        return make(batches, wanted)

    monkeypatch.setattr(kind, "make", second)
    made = statements(owner, names)
    of_the_other = 2
    assert len(made) - of_the_other == 3


class TestTroubleUnderWay:
    """What happens while a round of inserting is on its way to the database."""

    @pytest.fixture(params=["written", "plain"])
    def before_each_round(
        self, request: Any, monkeypatch: pytest.MonkeyPatch
    ) -> list[Callable[[], object]]:
        """Things to do before each round, in turn; with the statements of either kind."""
        if request.param == "plain":
            monkeypatch.setattr(sql, "_RAW_BATCHES", {})
        todo: list[Callable[[], object]] = []
        kind = type(get_batch_queries())
        make = kind.make

        def disturbed(batches: Any, wanted: NewLinks) -> Any:
            if todo:
                todo.pop(0)()
            return make(batches, wanted)

        monkeypatch.setattr(kind, "make", disturbed)
        return todo

    def test_links_that_somebody_else_has_just_made_are_given_to_all(
        self, before_each_round: list[Callable[[], object]]
    ) -> None:
        owner = UserFactory()
        names = many_files(owner, 20)
        files = list(File.objects.filter(path__in=names))
        before_each_round.append(lambda: get_reusable_links(files[:10], created_by=None))
        batch = create(owner, *names)
        assert batch.is_complete
        stored = dict(DirectLink.objects.values_list("file_id", "code"))
        assert {item.link.file_id: item.link.code for item in batch.items} == stored
        assert DirectLink.objects.filter(created_by=None).count() == 10

    @pytest.mark.django_db(transaction=True)
    def test_files_that_vanish_one_by_one_take_no_others_along(
        self, before_each_round: list[Callable[[], object]]
    ) -> None:
        user = UserFactory()
        files = [FileFactory(owner=user, path=f"{number}.txt") for number in range(8)]
        before_each_round += [file.delete for file in files[:5]]
        batch = create(user, *(f"{number}.txt" for number in range(8)))
        assert len(batch.items) == File.objects.count() == 7
        assert {type(error) for error in batch.errors.values()} == {PathNotExist}

    def test_a_file_that_is_trashed_under_way_has_no_link(
        self, before_each_round: list[Callable[[], object]]
    ) -> None:
        user = UserFactory()
        trashed, _ = (FileFactory(owner=user, path=path) for path in ("a", "b"))
        before_each_round += [trashed.trash]
        batch = create(user, "a", "b")
        assert [item.link.name for item in batch.items] == ["b"]
        assert list(batch.errors) == ["cloudreve://my/a"]

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("trouble", [OperationalError, IntegrityError])
    def test_a_deadlock_or_a_broken_reference_is_tried_again(
        self, before_each_round: list[Callable[[], object]], trouble: type[Exception]
    ) -> None:
        user = FileFactory(path="a.txt").owner
        before_each_round += [partial(raised, trouble)] * 2
        assert create(user, "a.txt").is_complete

    @pytest.mark.django_db(transaction=True)
    def test_trouble_that_does_not_end_is_not_hidden(
        self, before_each_round: list[Callable[[], object]]
    ) -> None:
        user = FileFactory(path="a.txt").owner
        before_each_round += [partial(raised, OperationalError)] * 9
        with pytest.raises(OperationalError):
            create(user, "a.txt")
        assert len(before_each_round) == 6

    def test_inside_a_transaction_only_its_owner_can_try_again(
        self, before_each_round: list[Callable[[], object]]
    ) -> None:
        user = FileFactory(path="a.txt").owner
        before_each_round += [partial(raised, OperationalError)] * 2
        with pytest.raises(OperationalError):
            create(user, "a.txt")
        assert len(before_each_round) == 1


def raised(error: type[Exception]) -> None:
    raise error("somebody was in the way")


def test_files_at_hand_have_it_or_get_it() -> None:
    files, user = FileFactory.create_batch(2), UserFactory()
    links = get_reusable_links(files, created_by=user)
    assert {key: link.file for key, link in links.items()} == {file.pk: file for file in files}
    assert get_reusable_links(files, created_by=None) == links
    assert set(DirectLink.objects.values_list("created_by", flat=True)) == {user.pk}


def test_a_file_at_hand_that_was_renamed_gets_a_link_of_its_new_name() -> None:
    file = FileFactory(path="a.txt")
    get_reusable_links([file], created_by=None)
    file.path = "b.txt"
    file.save()
    assert get_reusable_links([file], created_by=None)[file.pk].name == "b.txt"


@pytest.mark.parametrize("length", [8, 22])
def test_names_are_kept_whatever_the_database_holds_by_default(
    settings: Settings, length: int
) -> None:
    """Of a document, MariaDB makes texts in the character set of the database."""
    settings.DIRECTLINKS = {"CODE_LENGTH": length}
    file = FileFactory(path="\U0001f600 \u6587.txt")
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION character_set_database = latin1")
        try:
            first, second = (get_reusable_links([file], created_by=None) for _ in range(2))
        finally:
            if connection.vendor == "mysql":
                cursor.execute("SET SESSION character_set_database = utf8mb4")
    assert first == second
    link = DirectLink.objects.get()
    assert (link.name, link.reuse_name) == (file.name, file.name)
