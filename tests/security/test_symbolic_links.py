"""Symbolic links: none leads out of the storage, not even one that comes while a file is opened."""

import os
import resource
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.core.errors import LinkNotFound
from directlinks.delivery import reading
from directlinks.models import DirectLink, File
from directlinks.services.adding import Source, add_file, local_sources, stored_sources
from directlinks.services.diagnostics import Kind, examine
from directlinks.storage import is_forbidden
from tests.factories import UserFactory

DAY = timedelta(days=1)

SECRET, PUBLIC = b"a file of the machine", b"a file of the storage"


class OwnStorage(FileSystemStorage):
    """A site's own, which is asked for all that it may do in a way of its own."""

    def size(self, name: str) -> int:
        return super().size(name)


class Place:
    """A storage in ``inside``, a secret beside it, and a file in it."""

    def __init__(self, folder: Path) -> None:
        self.inside, self.outside = folder / "media", folder / "secrets"
        for place in (self.inside / "sub", self.outside):
            place.mkdir(parents=True)
        (self.outside / "a.txt").write_bytes(SECRET)
        (self.inside / "sub" / "a.txt").write_bytes(PUBLIC)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def to_file(place: Place) -> str:
    (place.inside / "link.txt").symlink_to(place.outside / "a.txt")
    return "link.txt"


def to_file_upwards(place: Place) -> str:
    (place.inside / "sub" / "link.txt").symlink_to("../../secrets/a.txt")
    return "sub/link.txt"


def to_folder(place: Place) -> str:
    (place.inside / "folder").symlink_to(place.outside, target_is_directory=True)
    return "folder/a.txt"


def to_link(place: Place) -> str:
    (place.inside / "first").symlink_to(place.inside / to_file(place))
    return "first"


def to_neighbour(place: Place) -> str:
    """To a folder whose name begins as that of the storage."""
    neighbour = place.inside.with_name("media2")
    neighbour.mkdir()
    (neighbour / "a.txt").write_bytes(SECRET)
    (place.inside / "link.txt").symlink_to(neighbour / "a.txt")
    return "link.txt"


def out_and_in(place: Place) -> str:
    """By a folder outside, and back."""
    (place.outside / "back").symlink_to(place.inside, target_is_directory=True)
    (place.inside / "out").symlink_to(place.outside, target_is_directory=True)
    return "out/back/sub/a.txt"


def within(place: Place) -> str:
    (place.inside / "link.txt").symlink_to("sub/a.txt")
    return "link.txt"


def within_by_folder(place: Place) -> str:
    (place.inside / "folder").symlink_to("sub", target_is_directory=True)
    return "folder/a.txt"


def storage_behind_a_link(place: Place) -> str:
    """The storage itself is one, as where each release has a folder of its own."""
    real = place.inside.rename(place.inside.with_name("release1"))
    place.inside.symlink_to(real, target_is_directory=True)
    return "sub/a.txt"


def pipe(place: Place) -> str:
    os.mkfifo(place.inside / "pipe")
    return "pipe"


def unix_socket(place: Place) -> str:
    here = Path.cwd()
    os.chdir(place.inside)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    os.chdir(here)
    return "socket"


def device(place: Place) -> str:
    (place.inside / "null").symlink_to("/dev/null")
    return "null"


Make = Callable[[Place], str]

LEADING_OUT: list[Make] = [to_file, to_file_upwards, to_folder, to_link, to_neighbour]
STAYING: list[Make] = [within, within_by_folder, storage_behind_a_link, out_and_in]
NO_FILES: list[Make] = [pipe, unix_socket, device]


def named(makes: list[Make]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", makes, ids=lambda make: make.__name__)


@pytest.fixture(params=[FileSystemStorage, OwnStorage], ids=["plain", "own"])
def storage(request: pytest.FixtureRequest, place: Place) -> Any:
    return request.param(place.inside)


class TestOpening:
    @named(LEADING_OUT + NO_FILES)
    def test_nothing_outside_is_opened(self, make: Make, place: Place, storage: Any) -> None:
        name = make(place)
        before = open_descriptors()
        with pytest.raises(LinkNotFound):
            reading.open_content(storage, name)
        assert open_descriptors() == before

    @named(STAYING)
    def test_what_stays_inside_is(self, make: Make, place: Place, storage: Any) -> None:
        content = reading.open_content(storage, make(place))
        part = content.part(0, content.size)
        assert part.read(99) == PUBLIC
        part.close()

    def test_a_storage_may_be_switched_to_another_folder(self, place: Place, storage: Any) -> None:
        """As by a deployment, while processes run on."""
        name = storage_behind_a_link(place)
        second = place.inside.with_name("release2")
        (second / "sub").mkdir(parents=True)
        (second / "sub" / "a.txt").write_bytes(b"second")
        reading.open_content(storage, name).close()
        place.inside.unlink()
        place.inside.symlink_to(second, target_is_directory=True)
        content = reading.open_content(storage, name)
        content.close()
        assert content.size == len(b"second")

    def test_a_process_that_can_open_no_more_files_lets_nothing_pass(self, place: Place) -> None:
        storage, name = FileSystemStorage(place.inside), to_file(place)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                is_forbidden(storage, name)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_storage_that_keeps_its_files_elsewhere_judges_for_itself(self, place: Place) -> None:
        class Elsewhere(FileSystemStorage):
            def path(self, name: str) -> str:
                return f"/elsewhere/{name}"

        assert not is_forbidden(Elsewhere(place.inside), "a.txt")

    @named([*LEADING_OUT, within])
    def test_a_system_without_proc_looks_at_the_path(
        self, make: Make, place: Place, storage: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def readlink(path: str, **kwargs: Any) -> str:
            if str(path).startswith("/proc/"):
                raise FileNotFoundError(path)
            return original(path, **kwargs)

        original, name = os.readlink, make(place)
        monkeypatch.setattr(os, "readlink", readlink)
        if make is within:
            reading.open_content(storage, name).close()
        else:
            with pytest.raises(LinkNotFound):
                reading.open_content(storage, name)

    def test_a_plain_file_takes_three_system_calls(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[str] = []
        for name in ("open", "fstat", "readlink", "stat", "lstat"):
            monkeypatch.setattr(os, name, noting(calls, name, getattr(os, name)))
        reading.open_content(FileSystemStorage(place.inside), "sub/a.txt").close()
        assert calls == ["open", "fstat", "readlink"]


def noting(calls: list[str], name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(*args, **kwargs)

    return call


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # no folder of the test


@pytest.fixture
def site(place: Place, settings: Settings) -> Place:
    """A site whose contents are in the storage."""
    settings.MEDIA_ROOT = str(place.inside)
    return place


DELIVERIES = {
    "signed": "signed_url.SignedURLBackend",
    "stream": "stream.StreamBackend",
    "nginx": "web_server.AccelBackend",
    "Apache": "web_server.SendfileBackend",
}


@pytest.mark.django_db
class TestServing:
    @pytest.mark.parametrize("delivery", DELIVERIES)
    @named(LEADING_OUT + NO_FILES)
    def test_a_file_that_becomes_a_way_out_is_gone(
        self, make: Make, delivery: str, site: Place, settings: Settings
    ) -> None:
        backend = f"directlinks.delivery.backends.{DELIVERIES[delivery]}"
        settings.DIRECTLINKS = {"DELIVERY": {"BACKEND": backend}}
        name = make(site)
        owner = UserFactory()
        file = File.objects.create(owner=owner, path="a.txt", content="sub/a.txt")
        link = DirectLink.objects.create(file=file)
        File.objects.update(content=name)  # as if it had been a file when it was added
        answer = Client().get(link.get_absolute_url())
        if delivery == "signed":
            answer = Client().get(answer.headers["Location"].removeprefix("http://testserver"))
        assert answer.status_code == 404
        (examined,) = examine(now=timezone.now(), unused_for=DAY)
        kind = Kind.UNREADABLE if make in NO_FILES else Kind.BYTES_MISSING
        assert [finding.kind for finding in examined.findings] == [kind]

    @named(LEADING_OUT + NO_FILES)
    def test_it_cannot_become_the_content_of_a_file(self, make: Make, site: Place) -> None:
        with pytest.raises(ValidationError):
            File.objects.create(owner=UserFactory(), path="a.txt", content=make(site))

    @named(STAYING)
    def test_what_stays_inside_can(self, make: Make, site: Place) -> None:
        file = File.objects.create(owner=UserFactory(), path="a.txt", content=make(site))
        link = DirectLink.objects.create(file=file)
        target = Client().get(link.get_absolute_url()).headers["Location"]
        assert Client().get(target.removeprefix("http://testserver")).getvalue() == PUBLIC


class LeftOut:
    """What was left out, by its place."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}

    def __call__(self, place: str, kind: str) -> None:
        self.kinds[Path(place).name] = kind


class TestAdding:
    @pytest.fixture
    def crowded(self, place: Place) -> Place:
        """With everything in the storage that is no plain file of it."""
        for make in (to_file, to_folder, out_and_in, *NO_FILES):
            make(place)
        (place.inside / "around").symlink_to(".", target_is_directory=True)
        (place.inside / "broken").symlink_to("nowhere")
        return place

    KINDS = {
        **dict.fromkeys(["link.txt", "folder", "out", "around"], "a symbolic link"),
        **dict.fromkeys(["broken", "null"], "a symbolic link"),
        **dict.fromkeys(["pipe", "socket"], "no regular file"),
    }

    def test_a_folder_is_copied_without_them(self, crowded: Place) -> None:
        left_out = LeftOut()
        sources = list(local_sources(crowded.inside, leave_out=left_out))
        assert [source.path for source in sources] == ["media/sub/a.txt"]
        assert left_out.kinds == self.KINDS

    @pytest.mark.parametrize("name", [".", ""])
    def test_a_storage_is_adopted_without_them(
        self, name: str, crowded: Place, storage: Any
    ) -> None:
        left_out = LeftOut()
        sources = list(stored_sources(storage, name, leave_out=left_out))
        assert sources == [Source("sub/a.txt", "sub/a.txt")]
        assert left_out.kinds == self.KINDS

    @named(LEADING_OUT + NO_FILES)
    def test_none_of_them_is_adopted_by_name(self, make: Make, place: Place, storage: Any) -> None:
        name = make(place)
        with pytest.raises(OSError, match="Not a regular file"):
            list(stored_sources(storage, name))

    def test_no_folder_outside_is_adopted_by_name(self, place: Place, storage: Any) -> None:
        to_folder(place)
        with pytest.raises(SuspiciousFileOperation):
            list(stored_sources(storage, "folder"))

    def test_a_folder_within_is_adopted_by_the_name_of_a_link(
        self, place: Place, storage: Any
    ) -> None:
        within_by_folder(place)
        (place.inside / "around").symlink_to(".", target_is_directory=True)
        assert list(stored_sources(storage, "folder")) == [Source("folder/a.txt", "folder/a.txt")]
        places = [source.place for source in stored_sources(storage, "around")]
        assert places == ["around/sub/a.txt"]

    @named([pipe, unix_socket])
    def test_what_is_no_file_is_not_copied_by_name(self, make: Make, place: Place) -> None:
        with pytest.raises(OSError, match="Not a regular file"):
            list(local_sources(place.inside / make(place)))

    @pytest.mark.django_db
    def test_a_file_that_became_a_pipe_is_not_waited_for(self, place: Place) -> None:
        source = Source(str(place.inside / pipe(place)), "a.txt")
        with pytest.raises(OSError, match="Not a regular file"):
            add_file(owner=UserFactory(), source=source, adopt=False, replace=False)
        assert not File.objects.exists()

    @pytest.mark.django_db
    @pytest.mark.parametrize("adopt", [False, True])
    def test_the_command_names_what_it_leaves_out(
        self, adopt: bool, crowded: Place, site: Place, capsys: pytest.CaptureFixture[str]
    ) -> None:
        owner = UserFactory()
        arguments = ["--adopt", "."] if adopt else [str(crowded.inside)]
        call_command("directlinks_add", owner.username, *arguments)
        said = capsys.readouterr().err
        for name, kind in self.KINDS.items():
            assert f"{name}: left out, as it is {kind}\n" in said
        assert [file.size for file in File.objects.all()] == [len(PUBLIC)]

    @pytest.mark.django_db
    @pytest.mark.parametrize("name", ["link.txt", "folder", "pipe"])
    def test_the_command_refuses_what_is_named(
        self, name: str, crowded: Place, site: Place, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(CommandError, match="1 could not be added"):
            call_command("directlinks_add", UserFactory().username, "--adopt", name)
        assert f"{name}: " in capsys.readouterr().err
        assert not File.objects.exists()
