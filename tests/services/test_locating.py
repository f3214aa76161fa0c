"""From URIs to files, and why there is none."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from directlinks.core.errors import (
    ActionNotSupported,
    EntityNotExist,
    ForeignSpace,
    NotAFile,
    NotOwner,
    PathNotExist,
    ShareNotFound,
    UnknownFileSystem,
    URIError,
)
from directlinks.core.uris import parse
from directlinks.models import File
from directlinks.policies import OwnerOrAdmin
from directlinks.services.locating import locate
from tests.factories import FileFactory, UserFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

NOT_FOUND = "Path not exist: ent: file not found"


class Refuses(OwnerOrAdmin):
    """A policy that allows nobody anything."""

    def allows(self, user: Any, file: File) -> bool:
        return False


def located(user: Any, *texts: str, policy: Any = None) -> list[File | URIError]:
    asked = [parse(text) for text in texts]
    return locate(asked, user=user, policy=policy or OwnerOrAdmin()).targets


def fault(user: Any, text: str, policy: Any = None) -> tuple[type, str]:
    """The class and the whole text of the error that ``text`` alone gets."""
    (target,) = located(user, text, policy=policy)
    assert isinstance(target, URIError)
    return type(target), target.text


class ToTheDefault:
    """A router for replicas, which does not say that their rows belong together."""

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


class TestFiles:
    def test_a_file_is_found_by_any_spelling_of_its_uri(self) -> None:
        file = FileFactory(path="folder/a b.txt")
        found = located(
            file.owner,
            "cloudreve://my/folder/a b.txt",
            "cloudreve://my/folder/a%20b.txt",
            "Cloudreve://MY//folder/./x/../a b.txt/?query#fragment",
            f"cloudreve://{file.owner.pk}:password@my/folder/a%20b.txt",
        )
        assert found == [file] * 4

    @pytest.mark.parametrize(
        ("one", "other"),
        [("A.txt", "a.txt"), ("a", "a%20"), ("%EF%AC%81le", "file")],
    )
    def test_paths_that_only_look_alike_are_two(self, one: str, other: str) -> None:
        file = FileFactory(path=parse(f"cloudreve://my/{one}").path)
        first, second = located(file.owner, f"cloudreve://my/{one}", f"cloudreve://my/{other}")
        assert first == file
        assert isinstance(second, PathNotExist)

    def test_an_exact_match_beats_a_folder(self) -> None:
        file = FileFactory(path="a")
        FileFactory(owner=file.owner, path="a/b")
        assert located(file.owner, "cloudreve://my/a") == [file]

    def test_each_user_has_a_space_of_their_own(self) -> None:
        mine, other = FileFactory(path="a"), FileFactory(path="a")
        admin = UserFactory(is_staff=True)
        texts = [f"cloudreve://{file.owner.pk}@my/a" for file in (other, mine)]
        assert located(admin, *texts) == [other, mine]
        assert located(other.owner, "cloudreve://my/a") == [other]

    def test_owners_and_paths_are_not_combined_at_will(self) -> None:
        one, other = FileFactory(path="a"), FileFactory(path="b")
        FileFactory(owner=one.owner, path="b")
        admin = UserFactory(is_staff=True)
        texts = [f"cloudreve://{one.owner.pk}@my/a", f"cloudreve://{other.owner.pk}@my/b"]
        assert located(admin, *texts) == [one, other]
        (_, missing) = located(admin, texts[0], f"cloudreve://{other.owner.pk}@my/a")
        assert isinstance(missing, PathNotExist)

    def test_the_owner_is_at_hand(self, django_assert_num_queries: Any) -> None:
        file = FileFactory(path="a")
        (found,) = located(file.owner, "cloudreve://my/a")
        assert isinstance(found, File)
        with django_assert_num_queries(0):
            assert found.owner == file.owner

    def test_no_router_is_asked_about_a_file_that_is_not_there(self, settings: Settings) -> None:
        """One for replicas may not know the database that the user was read from."""
        settings.DATABASE_ROUTERS = [ToTheDefault()]
        user = UserFactory()
        user._state.db = "replica"
        (missing,) = located(user, "cloudreve://my/a")
        assert isinstance(missing, PathNotExist)

    def test_asking_for_nothing_asks_nothing(self, django_assert_num_queries: Any) -> None:
        user = UserFactory()
        with django_assert_num_queries(0):
            assert located(user) == []


class TestFileSystems:
    @pytest.mark.parametrize(
        ("text", "error", "shown"),
        [
            (
                "cloudreve://trash/a",
                ActionNotSupported,
                "Not supported action: action '\\a' is not supported under current fs",
            ),
            (
                "cloudreve://code@share/a",
                ShareNotFound,
                "failed to get target file: Shared file does not exist",
            ),
            (
                "cloudreve://shared_with_me/a",
                PathNotExist,
                'failed to get target file: Path not exist: invalid Path "cloudreve://shared_with_me/a"',
            ),
            ("cloudreve://else/a", UnknownFileSystem, 'unknown file system "else"'),
            ("cloudreve:///a", UnknownFileSystem, 'unknown file system ""'),
        ],
    )
    def test_only_my_has_files(
        self, django_assert_num_queries: Any, text: str, error: type, shown: str
    ) -> None:
        user = FileFactory(path="a").owner
        with django_assert_num_queries(0):
            assert fault(user, text) == (error, shown)


class TestUserPart:
    INVALID = (PathNotExist, "failed to get target file: Path not exist: invalid user id")

    def test_the_users_own_key_is_their_own_space(self, django_assert_num_queries: Any) -> None:
        file = FileFactory(path="a")
        with django_assert_num_queries(1):
            assert located(file.owner, f"cloudreve://{file.owner.pk}@my/a") == [file]

    @pytest.mark.parametrize("path", ["there", "missing", "folder", ""])
    def test_a_strangers_space_is_closed_whatever_is_in_it(self, path: str) -> None:
        owner = FileFactory(path="there").owner
        FileFactory(owner=owner, path="folder/a")
        assert fault(UserFactory(), f"cloudreve://{owner.pk}@my/{path}") == (
            ForeignSpace,
            "failed to get target file: Permission denied",
        )

    @pytest.mark.parametrize(
        "spelling",
        [
            "07654321",
            "%2B7654321",
            "%207654321",
            "7654321%20",
            "7654321%0A",
            "7654321.0",
            "7_654_321",
            "%D9%A7%D9%A6%D9%A5%D9%A4%D9%A3%D9%A2%D9%A1",  # Arabic digits
            "%EF%BC%97654321",  # a full-width one
        ],
    )
    def test_another_spelling_of_a_key_is_nobody(self, spelling: str) -> None:
        admin = UserFactory(pk=7654321, is_staff=True)
        FileFactory(owner=admin, path="a")
        assert isinstance(located(admin, "cloudreve://7654321@my/a")[0], File)
        assert fault(admin, f"cloudreve://{spelling}@my/a") == self.INVALID

    @pytest.mark.parametrize(
        "user",
        ["", "0", "-1", "9" * 9, "9" * 31, "9" * 5000, "None", "ann", "%00", "%FF", "%ED%A0%80"],
    )
    def test_a_key_of_nobody_is_an_error(self, user: str) -> None:
        admin = UserFactory(is_staff=True)
        assert fault(admin, f"cloudreve://{user}@my/a") == self.INVALID

    def test_a_user_name_is_no_key(self) -> None:
        owner = FileFactory(path="a", owner__username="7777777").owner
        assert fault(owner, "cloudreve://7777777@my/a") == self.INVALID

    def test_many_users_are_one_statement(self, django_assert_num_queries: Any) -> None:
        files = [FileFactory(path="a") for _ in range(5)]
        texts = [f"cloudreve://{file.owner.pk}@my/a" for file in files]
        with django_assert_num_queries(2):
            assert located(UserFactory.build(pk=0, is_staff=True), *texts) == files


class TestElement:
    """The name at which the walk along a path ended, where a single URI failed."""

    @pytest.fixture
    def owner(self) -> Any:
        owner = FileFactory(path="folder/below/file").owner
        FileFactory(owner=owner, path="gone/file").trash()
        FileFactory(owner=owner, path="both")
        FileFactory(owner=owner, path="both/file")
        FileFactory(path="theirs/file")
        return owner

    @pytest.mark.parametrize(
        ("path", "element"),
        [
            ("missing", "missing"),
            ("missing/below/file", "missing"),
            ("folder/missing", "missing"),
            ("folder/missing/file", "missing"),
            ("folder/below/missing", "missing"),
            ("folder/below/file/further", "further"),
            ("folder/below/file/further/on", "further"),
            ("both/missing", "missing"),
            ("gone", "gone"),
            ("gone/file", "gone"),
            ("theirs/file", "theirs"),
            ("FOLDER/below/file", "FOLDER"),
            ("a%22%5Cb/file", 'a\\"\\\\b'),
            ("%E6%BC%A2/file", "漢"),
            ("%FF/file", "\\xff"),
            ("%FF%FEa/%FF", "\\xff\\xfea"),
            ("missing/%FF", "missing"),
            ("missing/%FF/file", "missing"),
            ("folder/%FF.txt", "\\xff.txt"),
            ("folder/below/a%00b/c", "a\\x00b"),
            ("both/%FF/c", "\\xff"),
            ("missing/" + "a" * 256, "missing"),
            ("folder/" + "a" * 256 + "/b", "a" * 256),
        ],
    )
    def test_it_is_the_first_that_is_missing(self, owner: Any, path: str, element: str) -> None:
        assert fault(owner, f"cloudreve://my/{path}") == (
            PathNotExist,
            f'failed to get target file: failed to walk into "{element}": {NOT_FOUND}',
        )

    @pytest.mark.parametrize(
        "path", ["a%00b/c", "%FF/c", "%ED%A0%80/c", "a" * 256 + "/c", "a/" * 64 + "c", "a/" * 600]
    )
    def test_a_path_that_cannot_be_stored_is_missing_without_a_look_up(
        self, owner: Any, path: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            error, _ = fault(owner, f"cloudreve://my/{path}")
        assert error is PathNotExist

    def test_one_missing_file_among_good_ones_names_it(self, owner: Any) -> None:
        found, missing = located(owner, "cloudreve://my/both", "cloudreve://my/missing/file")
        assert isinstance(found, File)
        assert isinstance(missing, PathNotExist)
        assert missing.element == "missing"

    def test_one_missing_file_asked_for_twice_names_it(self, owner: Any) -> None:
        first, second = located(owner, *["cloudreve://my/missing/file"] * 2)
        assert isinstance(first, PathNotExist)
        assert first.element == "missing"
        assert second is first

    def test_among_two_missing_files_nobody_looks(
        self, owner: Any, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(2):
            errors = located(owner, "cloudreve://my/missing/file", "cloudreve://my/nowhere/file")
        assert [type(error) for error in errors] == [PathNotExist, PathNotExist]
        assert {error.msg for error in errors if isinstance(error, URIError)} == {"Path not exist"}

    def test_one_missing_file_among_other_faults_is_not_the_only_one(self, owner: Any) -> None:
        missing, trash = located(owner, "cloudreve://my/missing/file", "cloudreve://trash/a")
        assert isinstance(missing, PathNotExist)
        assert isinstance(trash, ActionNotSupported)


class TestWhatIsNoFile:
    @pytest.mark.parametrize("path", ["", "/", "a/..", "folder", "folder/", "folder/below", "%2E"])
    def test_a_folder_is_no_entity(self, path: str) -> None:
        owner = FileFactory(path="folder/below/file").owner
        assert fault(owner, f"cloudreve://my/{path}") == (NotAFile, "Entity not exist")

    def test_a_trashed_file_is_missing(self) -> None:
        file = FileFactory(path="a")
        file.trash()
        assert fault(file.owner, "cloudreve://my/a")[0] is PathNotExist

    def test_a_file_without_content_is_no_entity(self) -> None:
        file = FileFactory(path="a", content="")
        assert fault(file.owner, "cloudreve://my/a")[0] is EntityNotExist

    def test_a_file_whose_bytes_are_gone_is_no_entity(self) -> None:
        file = FileFactory(path="a")
        Path(file.content.path).unlink()
        assert fault(file.owner, "cloudreve://my/a")[0] is EntityNotExist

    def test_an_empty_file_is_a_file(self) -> None:
        file = FileFactory(path="a", data=b"")
        assert located(file.owner, "cloudreve://my/a") == [file]

    def test_a_storage_elsewhere_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(File._meta.get_field("content"), "storage", Bucket())
        file = FileFactory(path="a")
        file.content.storage.delete(file.content.name)
        assert located(file.owner, "cloudreve://my/a") == [file]


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "error"),
        [
            ("there", NotOwner),
            ("missing", PathNotExist),
            ("folder", NotOwner),
            ("", NotOwner),
        ],
    )
    def test_a_policy_may_refuse_a_users_own_files(self, path: str, error: type) -> None:
        owner = FileFactory(path="there").owner
        FileFactory(owner=owner, path="folder/a")
        assert fault(owner, f"cloudreve://my/{path}", Refuses())[0] is error

    def test_a_refused_stranger_learns_nothing(self) -> None:
        file = FileFactory(path="a")
        text = f"cloudreve://{file.owner.pk}@my/a"
        assert fault(UserFactory(is_staff=True), text, Refuses())[0] is ForeignSpace

    def test_an_administrator_is_told_what_is_missing(self) -> None:
        owner = FileFactory(path="folder/a").owner
        admin = UserFactory(is_staff=True)
        assert fault(admin, f"cloudreve://{owner.pk}@my/folder")[0] is NotAFile
        assert fault(admin, f"cloudreve://{owner.pk}@my/folder/b") == (
            PathNotExist,
            f'failed to get target file: failed to walk into "b": {NOT_FOUND}',
        )
