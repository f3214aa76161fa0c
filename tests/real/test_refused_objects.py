"""Commands on a bucket that refuses one object: a line for it, the rest goes on, an exit code."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from directlinks.models import File
from directlinks.services import pruning
from tests.factories import DirectLinkFactory, UserFactory
from tests.real.faulty_proxy import Fault, Proxy, Request
from tests.real.object_storage import (
    S3,
    ObjectStorage,
    keep_files_in,
    storage_of_this_process,
)

pytestmark = pytest.mark.django_db

NAMES = ("first.bin", "refused.bin", "third.bin")


@pytest.fixture
def bucket(
    storage_and_proxy: tuple[ObjectStorage, Proxy],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Proxy]:
    """The proxy in front of an empty storage of the site."""
    storage, proxy = storage_and_proxy
    keep_files_in(storage.storage(location=request.node.originalname), settings, monkeypatch)
    yield proxy
    proxy.judge = lambda asked: None


def refuse(asked: Request) -> Fault | None:
    """Refuse what is about that object, and deleting several at once."""
    is_batch = asked.method == "POST" and ("delete" in asked.target or "batch" in asked.target)
    return Fault(status=403) if is_batch or "refused" in asked.target else None


def failing(proxy: Proxy, command: str, *args: str) -> tuple[str, list[str]]:
    """Return the error that ends ``command``, and the lines that it writes."""
    proxy.judge = refuse
    out = StringIO()
    try:
        with pytest.raises((CommandError, SystemExit)) as ended:
            call_command(command, *args, stdout=out, stderr=out, no_color=True)
    finally:
        proxy.judge = lambda asked: None
    return str(ended.value), out.getvalue().splitlines()


def explains(line: str) -> bool:
    """Return True if ``line`` says what 403 may mean."""
    denied = "The storage denies access." in line or "refuses" in line
    return denied and (
        storage_of_this_process().__module__ != S3.rpartition(".")[0] or "ListBucket" in line
    )


def test_the_doctor_goes_on_behind_it(bucket: Proxy) -> None:
    owner = UserFactory(username="ada")
    for name in NAMES:
        link = DirectLinkFactory(code=f"{name[:5]}abc", file__path=name, file__owner=owner)
    storage_of_this_process().delete(link.file.content.name)
    for options in (["--only=unreadable"], ["--only=bytes-missing"], []):
        ended, lines = failing(bucket, "directlinks_doctor", "--remote", *options)
        assert ended == "1"
        refused = [line for line in lines if line.startswith("unreadable  refu…  ada: refused.bin")]
        assert len(refused) == 1
        assert explains(refused[0]), refused
        missing = [line for line in lines if line.startswith("bytes-missing")]
        there = [] if options == ["--only=unreadable"] else ["bytes-missing  thir…  ada: third.bin"]
        assert missing == there


@pytest.mark.parametrize("adopts", [False, True], ids=["copied", "adopted"])
def test_the_files_beside_it_are_added(bucket: Proxy, tmp_path: Path, adopts: bool) -> None:
    UserFactory(username="ada")
    folder = "adopted" if adopts else str(tmp_path / "copied")
    for name in NAMES:
        if adopts:
            storage_of_this_process().save(f"{folder}/{name}", ContentFile(b"bytes"))
        else:
            (tmp_path / "copied").mkdir(exist_ok=True)
            (tmp_path / "copied" / name).write_bytes(b"bytes")
    options = ["--adopt"] if adopts else []
    ended, lines = failing(bucket, "directlinks_add", "ada", folder, *options)
    assert ended == "1 could not be added."
    (line,) = (one for one in lines if one.startswith(f"{folder}/refused.bin: "))
    assert explains(line), line
    assert lines[-1] == "Files: 2 added, 0 replaced, 0 there already."
    assert sorted(file.name for file in File.objects.all()) == ["first.bin", "third.bin"]


def test_the_contents_beside_it_are_pruned(bucket: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "UPLOADING", -timedelta(days=1))
    names = [f"directlinks/{number:032x}/{name}" for number, name in enumerate(NAMES)]
    for name in names:
        storage_of_this_process().save(name, ContentFile(b"bytes"))
    ended, lines = failing(bucket, "directlinks_prune", "--bytes", "--yes")
    assert ended == "1 could not be removed."
    (line,) = (one for one in lines if one.startswith(f"{names[1]}: "))
    assert explains(line), line
    assert lines[-1] == "Removed: 2 contents without a file."
    assert [storage_of_this_process().exists(name) for name in names] == [False, True, False]


def test_a_bucket_that_cannot_be_listed_is_one_fault(bucket: Proxy) -> None:
    UserFactory(username="ada")
    proxy_refuses = "list-type", "prefix", "comp=list"

    def judge(asked: Request) -> Fault | None:
        is_list = any(part in asked.target for part in proxy_refuses)
        return Fault(status=403) if is_list else None

    for command, args, place in (
        ("directlinks_prune", ("--bytes", "--yes"), "directlinks/: "),
        ("directlinks_add", ("ada", ".", "--adopt"), ".: "),
    ):
        bucket.judge = judge
        out = StringIO()
        with pytest.raises(CommandError, match=r"^1 could not be"):
            call_command(command, *args, stdout=out, stderr=out, no_color=True)
        assert explains(out.getvalue().splitlines()[0].removeprefix(place)), out.getvalue()
