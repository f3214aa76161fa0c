"""``manage.py directlinks_add`` as whoever runs it sees it."""

import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command

from directlinks.models import File
from directlinks.storage import content_storage
from tests.factories import FileFactory, UserFactory
from tests.management.terminals import Terminal

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "b").mkdir(parents=True)
    for name in ("a.txt", "b/c.txt"):
        (tree / name).write_text(name)
    return tree


@pytest.fixture
def ann() -> Any:
    return UserFactory(username="ann")


def add(*args: object, into: StringIO | None = None) -> str:
    """What the command says."""
    out = StringIO() if into is None else into
    call_command("directlinks_add", *map(str, args), stdout=out, no_color=True)
    return out.getvalue()


def paths_of(user: Any) -> list[str]:
    return sorted(user.directlinks_files.values_list("path", flat=True))


def test_a_folder_is_copied(ann: Any, tree: Path) -> None:
    assert add("ann", tree) == "Files: 2 added, 0 replaced, 0 there already.\n"
    assert paths_of(ann) == ["tree/a.txt", "tree/b/c.txt"]


def test_it_can_be_run_again(ann: Any, tree: Path) -> None:
    add("ann", tree / "b")
    assert add("ann", tree / "b", tree / "a.txt") == (
        "Files: 1 added, 0 replaced, 1 there already.\n"
    )
    assert paths_of(ann) == ["a.txt", "b/c.txt"]


def test_files_may_go_into_a_folder(ann: Any, tree: Path) -> None:
    add("ann", tree / "a.txt", "--into", "x/y")
    assert paths_of(ann) == ["x/y/a.txt"]


def test_what_is_there_can_be_replaced(ann: Any, tree: Path) -> None:
    add("ann", tree)
    assert add("ann", tree, "--replace") == "Files: 0 added, 2 replaced, 0 there already.\n"


def test_what_the_storage_holds_can_be_taken_over(ann: Any) -> None:
    content_storage().save("old/a.txt", ContentFile(b"stored"))
    assert add("ann", "old", "--adopt") == "Files: 1 added, 0 replaced, 0 there already.\n"
    assert File.objects.get(owner=ann, path="old/a.txt").content.name == "old/a.txt"


def test_a_dry_run_only_says_what_it_would_do(ann: Any, tree: Path) -> None:
    FileFactory(owner=ann, path="tree/a.txt")
    assert add("ann", tree, "--dry-run") == (
        "tree/a.txt: there already\n"
        "tree/b/c.txt: would be added\n"
        "Files: 1 added, 0 replaced, 1 there already. (dry run: nothing was changed)\n"
    )
    assert paths_of(ann) == ["tree/a.txt"]


class TestOwner:
    def test_may_be_given_by_key(self, ann: Any, tree: Path) -> None:
        add(ann.pk, tree / "a.txt")
        assert paths_of(ann) == ["a.txt"]

    def test_a_name_beats_a_key(self, ann: Any, tree: Path) -> None:
        named = UserFactory(username=str(ann.pk))
        add(ann.pk, tree / "a.txt")
        assert (paths_of(named), paths_of(ann)) == (["a.txt"], [])

    @pytest.mark.parametrize("name", ["nobody", "0", "", "9" * 31])
    def test_must_exist(self, tree: Path, name: str) -> None:
        with pytest.raises(CommandError, match=f"There is no user '{name}'."):
            add(name, tree)


class TestFaults:
    def test_a_fault_is_told_and_the_rest_goes_on(
        self, ann: Any, tree: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = StringIO()
        with pytest.raises(CommandError, match="1 could not be added"):
            add("ann", tree / "nowhere", tree / "a.txt", into=out)
        assert paths_of(ann) == ["a.txt"]
        assert out.getvalue() == "Files: 1 added, 0 replaced, 0 there already.\n"
        error = capsys.readouterr().err
        assert error.startswith(f"{tree / 'nowhere'}: ")
        assert "No such file" in error

    def test_a_name_that_cannot_be_stored_is_shown_with_escapes(
        self, ann: Any, tree: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path(os.fsdecode(os.fsencode(tree) + b"/a\xff.txt")).write_text("undecodable")
        with pytest.raises(CommandError, match="1 could not be added"):
            add("ann", tree, into=Terminal())
        assert paths_of(ann) == ["tree/a.txt", "tree/b/c.txt"]
        assert "a\\udcff.txt: A path cannot contain" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["../outside", "nowhere"])
    def test_what_the_storage_has_not_cannot_be_taken_over(
        self, ann: Any, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(CommandError, match="1 could not be added"):
            add("ann", name, "--adopt")
        assert capsys.readouterr().err.startswith(f"{name}: ")
        assert paths_of(ann) == []


class TestTerminal:
    def test_progress_is_shown_on_one_line(self, ann: Any, tree: Path) -> None:
        assert add("ann", tree, into=Terminal()) == (
            "\r\x1b[K[1/2] tree/a.txt\r\x1b[K[2/2] tree/b/c.txt\r\x1b[K"
            "Files: 2 added, 0 replaced, 0 there already.\n"
        )

    def test_an_interrupt_ends_with_a_sum_and_leaves_no_half_file(
        self, ann: Any, tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        class Interrupted(FileSystemStorage):
            def _save(self, name: str, content: Any) -> str:
                saved = str(super()._save(name, content))  # type: ignore[misc]  # not in the stubs
                if saved.endswith("c.txt"):
                    raise KeyboardInterrupt
                return saved

        storage = Interrupted(tmp_path / "storage")
        with monkeypatch.context() as patched:
            patched.setattr(File._meta.get_field("content"), "storage", storage)
            out = StringIO()
            with pytest.raises(CommandError, match="Run the same command again"):
                add("ann", tree, into=out)
        assert out.getvalue() == "Files: 1 added, 0 replaced, 0 there already.\n"
        left = [entry for entry in (tmp_path / "storage").rglob("*") if entry.is_file()]
        assert [entry.name for entry in left] == ["a.txt"]
        assert add("ann", tree) == "Files: 1 added, 0 replaced, 1 there already.\n"
