"""``manage.py directlinks_move`` as its user sees it."""

import errno
import os
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.management import CommandError
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.models import File, UnusedContent
from directlinks.services import moving
from directlinks.storage import content_storage
from tests.factories import FileFactory, UserFactory
from tests.management.terminals import Terminal, interrupted, said
from tests.storages import Bucket

pytestmark = pytest.mark.django_db


class Picky(Bucket):
    """Refuses what is called so, and to delete anything."""

    def _save(self, name: str, content: Any) -> str:
        if "bad" in name:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return super()._save(name, content)

    def delete(self, name: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.fixture(autouse=True)
def _storages(settings: Settings) -> None:
    bucket = {"BACKEND": "tests.storages.Bucket"}
    picky = {"BACKEND": f"{__name__}.Picky"}
    settings.STORAGES = {**settings.STORAGES, "far": bucket, "picky": picky}


def move(*args: object, into: StringIO | None = None) -> str:
    return said("directlinks_move", *args, into=into)


def places() -> dict[str, str]:
    return dict(File.objects.order_by("path").values_list("path", "storage_alias"))


def waiting(number: int) -> str:
    return f"Waiting to be deleted: {number}. Run it again in 660 seconds or later.\n"


def test_contents_move_and_the_former_ones_go_later() -> None:
    files = [FileFactory(path="a.txt"), FileFactory(path="b.txt")]
    assert move("default", "far") == (
        "Contents: 2 moved, 0 changed meanwhile, 0 deleted.\n" + waiting(2)
    )
    assert places() == {"a.txt": "far", "b.txt": "far"}
    assert move("default", "far") == (
        "Contents: 0 moved, 0 changed meanwhile, 0 deleted.\n" + waiting(2)
    )
    with time_machine.travel(timezone.now() + moving.grace()):
        assert move("default", "far", "--dry-run") == (
            "Contents: 0 moved, 0 changed meanwhile, 2 deleted. (dry run: nothing was changed)\n"
        )
        assert files[0].content.storage.exists(str(files[0].content))
        assert move("default", "far") == "Contents: 0 moved, 0 changed meanwhile, 2 deleted.\n"
    assert not files[0].content.storage.exists(str(files[0].content))


def test_a_dry_run_names_what_would_be_moved() -> None:
    FileFactory(path="a.txt")
    assert move("default", "far", "--dry-run") == (
        "a.txt: would be moved\n"
        "Contents: 1 moved, 0 changed meanwhile, 0 deleted. (dry run: nothing was changed)\n"
    )
    assert (places(), UnusedContent.objects.count()) == ({"a.txt": "default"}, 0)


@pytest.mark.parametrize(
    ("options", "moved"),
    [
        (["--owner", "ada"], {"a/b.txt", "a/c/d.txt", "a.txt", "trash/t.txt"}),
        (["--owner", "ada", "--path", ""], {"a/b.txt", "a/c/d.txt", "a.txt", "trash/t.txt"}),
        (["--owner", "ada", "--path", "a"], {"a/b.txt", "a/c/d.txt"}),
        (["--owner", "ada", "--path", "a.txt"], {"a.txt"}),
        (["--owner", "ada", "--path", "trash"], {"trash/t.txt"}),
        (["--owner", "ada", "--path", "nothing"], set()),
    ],
)
def test_an_owner_and_a_path_say_which(options: list[str], moved: set[str]) -> None:
    ada = UserFactory(username="ada")
    for path in ("a/b.txt", "a/c/d.txt", "a.txt", "trash/t.txt"):
        FileFactory(owner=ada, path=path)
    File.objects.get(path="trash/t.txt").trash()
    FileFactory(path="a/other.txt")
    move("default", "far", *options)
    assert {path for path, alias in places().items() if alias == "far"} == moved


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["default", "default"], "SOURCE and TARGET are the same."),
        (
            ["nowhere", "far"],
            "STORAGES has no 'nowhere'. It has: default, staticfiles, far, picky.",
        ),
        (["default", "nowhere"], "STORAGES has no 'nowhere'. It has: "),
        (["default", "far", "--path", "a"], "requires --owner"),
        (["default", "far", "--owner", "no-one"], "There is no user 'no-one'."),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], fault: str) -> None:
    with pytest.raises(CommandError, match=fault):
        move(*arguments)


def test_faults_are_told_and_the_rest_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    ada = UserFactory(username="ada")
    for path in ("a.txt", "bad.txt", "c.txt"):
        FileFactory(owner=ada, path=path)
    with pytest.raises(CommandError, match=r"1 could not be moved or deleted\."):
        move("default", "picky")
    fault = "[Errno 30] Read-only file system"
    assert capsys.readouterr().err == f"ada: bad.txt: {fault}\n"
    assert places() == {"a.txt": "picky", "bad.txt": "default", "c.txt": "picky"}
    unused = UnusedContent.objects.create(
        storage_alias="picky", name="x", delete_after=timezone.now()
    )
    with pytest.raises(CommandError, match=r"2 could not be moved or deleted\."):
        move("default", "picky")
    assert f"{unused}: {fault}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "noted"), [([], 1), (["--keep"], 0), (["--delete-adopted"], 2)]
)
def test_what_is_deleted_can_be_said(options: list[str], noted: int) -> None:
    FileFactory(path="ours.txt")
    content_storage().save("invoice.txt", ContentFile(b"an invoice"))
    FileFactory(path="adopted.txt", content="invoice.txt")
    move("default", "far", *options)
    assert UnusedContent.objects.count() == noted


def test_ctrl_c_leaves_whole_rows_and_the_next_run_goes_on() -> None:
    for path in ("a.txt", "b.txt", "c.txt"):
        FileFactory(path=path)
    out = Terminal()
    with (
        interrupted("directlinks_file", "UPDATE", after=1),
        pytest.raises(CommandError, match="Interrupted"),
    ):
        move("default", "far", into=out)
    assert "[2/3] b.txt" in out.getvalue()
    assert "Contents: 1 moved" in out.getvalue()
    assert list(places().values()) == ["far", "default", "default"]
    assert "Contents: 2 moved" in move("default", "far")
