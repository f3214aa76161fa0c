"""``manage.py directlinks_create`` as whoever runs it sees it."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.datetimes import as_stored
from directlinks.management.commands import directlinks_create
from directlinks.models import DirectLink, File
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.management.terminals import Terminal, said

pytestmark = pytest.mark.django_db

ILL_JOINED = (
    "Enter a path such as photos/2026/cat.jpg: no slash at the start or end, no '.' or '..'."
)


@pytest.fixture
def ann() -> Any:
    return UserFactory(username="ann")


@pytest.fixture
def cat(ann: Any) -> File:
    file: File = FileFactory(owner=ann, path="photos/cat 1.jpg")
    return file


def create(*args: object, into: StringIO | None = None) -> str:
    return said("directlinks_create", "ann", *args, into=into)


def test_links_alone_are_printed_in_the_order_asked(ann: Any, cat: File) -> None:
    dog = FileFactory(owner=ann, path="dog.jpg")
    printed = create("dog.jpg", "photos/cat 1.jpg", "dog.jpg").splitlines()
    assert printed == [file.links.get().get_absolute_url() for file in (dog, cat)]
    assert printed[1].endswith("/cat%201.jpg")


def test_it_can_be_run_again(cat: File) -> None:
    assert create("photos/cat 1.jpg") == create("photos/cat 1.jpg")
    assert cat.links.get().reuse_name == "cat 1.jpg"


def test_a_terminal_shows_the_file_beside_its_link(cat: File) -> None:
    shown = create("photos/cat 1.jpg", into=Terminal())
    assert shown == f"photos/cat 1.jpg  {cat.links.get().get_absolute_url()}\n"


@pytest.mark.parametrize(
    ("base_url", "begin"),
    [
        ("https://files.example", "https://files.example/f/"),
        ("https://files.example/files/", "https://files.example/files/f/"),
        (["https://a.example", "https://b.example"], "https://a.example/f/"),
        ("some.callable", "/f/"),
    ],
)
def test_links_begin_as_the_site_says(
    settings: Settings, cat: File, base_url: Any, begin: str
) -> None:
    settings.DIRECTLINKS = {"BASE_URL": base_url}
    assert create("photos/cat 1.jpg").startswith(begin)


class TestLimits:
    def test_make_a_link_of_its_own(self, cat: File, monkeypatch: pytest.MonkeyPatch) -> None:
        common = DirectLinkFactory(file=cat, reuse_name="cat 1.jpg", name="cat 1.jpg")
        monkeypatch.setattr("sys.stdin", StringIO("open sesame\r\nsecond line\n"))
        create(
            "photos/cat 1.jpg",
            "--expires-at=2030-01-01T00:00Z",
            "--max-downloads=3",
            "--password-stdin",
            "--ask-first",
            "--label=Ann's",
        )
        link = cat.links.exclude(pk=common.pk).get()
        assert link.expires_at == as_stored(datetime(2030, 1, 1, tzinfo=UTC))
        assert (link.max_downloads, link.label, link.reuse_name) == (3, "Ann's", None)
        assert link.ask_first
        assert check_password("open sesame", link.password)

    def test_may_count_from_now(self, cat: File) -> None:
        create("photos/cat 1.jpg", "--expires-in=7d")
        left = cat.links.get().expires_at - timezone.now()
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)

    @pytest.mark.parametrize("option", ["--label=for Bob", "--ask-first", "--dedicated"])
    def test_a_label_and_new_make_one_more_each_time(self, cat: File, option: str) -> None:
        assert len({create("photos/cat 1.jpg", option) for _ in range(3)}) == 3
        assert not DirectLink.objects.reusable().exists()

    def test_a_site_may_want_each_link_to_be_new(self, settings: Settings, cat: File) -> None:
        settings.DIRECTLINKS = {"REUSE": False}
        assert create("photos/cat 1.jpg") != create("photos/cat 1.jpg")

    def test_a_site_may_limit_all_links(self, settings: Settings, cat: File) -> None:
        settings.DIRECTLINKS = {"DEFAULT_LIFE": 3600}
        create("photos/cat 1.jpg")
        assert cat.links.get().expires_at is not None

    def test_those_of_the_owners_groups_hold(self, settings: Settings, ann: Any, cat: File) -> None:
        settings.DIRECTLINKS = {"GROUP_LIMITS": {"guests": {"MAX_DOWNLOADS": 5}}}
        ann.groups.add(Group.objects.create(name="guests"))
        with pytest.raises(CommandError, match="At most 5 downloads are allowed"):
            create("photos/cat 1.jpg", "--max-downloads=6")
        assert not DirectLink.objects.exists()

    @pytest.mark.parametrize(
        ("option", "fault"),
        [
            ("--max-downloads=0", "greater than or equal to 1"),
            ("--expires-at=0001-01-02", "out of range"),
            ("--expires-in=never", "is no time"),
            ("--password-stdin", "has no password"),
        ],
    )
    def test_that_are_wrong_make_nothing(
        self, cat: File, option: str, fault: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", StringIO("\n"))
        with pytest.raises(CommandError, match=fault):
            create("photos/cat 1.jpg", option)
        assert not DirectLink.objects.exists()


class TestDryRun:
    @pytest.mark.parametrize("option", [(), ("--dedicated",)])
    def test_says_what_would_be_made(self, cat: File, option: tuple[str, ...]) -> None:
        printed = create("photos/cat 1.jpg", "--dry-run", *option)
        assert printed == "photos/cat 1.jpg: would be created\n"
        assert not DirectLink.objects.exists()

    def test_prints_the_link_that_is_there(self, cat: File) -> None:
        link = create("photos/cat 1.jpg")
        assert create("photos/cat 1.jpg", "--dry-run") == link


class TestFaults:
    @pytest.mark.parametrize(
        ("path", "fault"),
        [
            ("nowhere.jpg", "There is no such file."),
            ("bob's.jpg", "There is no such file."),
            ("photos", "This is a folder: name its files."),
            ("lost", "Its bytes are gone."),
            ("/photos/cat 1.jpg", ILL_JOINED),
            ("cloudreve://my/photos/cat 1.jpg", ILL_JOINED),
        ],
    )
    def test_a_path_without_a_file_is_told_and_the_rest_goes_on(
        self, ann: Any, cat: File, path: str, fault: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        FileFactory(path="bob's.jpg")
        Path(FileFactory(owner=ann, path="lost").content.path).unlink()
        out = StringIO()
        with pytest.raises(CommandError, match="1 have no link"):
            create(path, "photos/cat 1.jpg", into=out)
        assert out.getvalue() == f"{cat.links.get().get_absolute_url()}\n"
        assert capsys.readouterr().err == f"{path}: {fault}\n"

    def test_a_file_that_vanishes_meanwhile_is_told(
        self, cat: File, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(directlinks_create, "issue_links", lambda *args, **options: {})
        with pytest.raises(CommandError, match="1 have no link"):
            create("photos/cat 1.jpg", into=StringIO())
        assert capsys.readouterr().err == "photos/cat 1.jpg: The file has vanished.\n"

    def test_a_name_may_hold_what_is_not_printed(self) -> None:
        file = FileFactory(owner__username="a\u200db", path="cat.jpg")
        assert said("directlinks_create", "a\u200db", "cat.jpg").strip().endswith(file.name)

    def test_bytes_that_are_no_text_are_refused(self, cat: File) -> None:
        with pytest.raises(CommandError, match="There is no user"):
            call_command("directlinks_create", "\udcff", "photos/cat 1.jpg")
        with pytest.raises(CommandError, match="bytes that are no text"):
            create("photos/cat 1.jpg", "--label", "\udcff", into=StringIO())

    def test_the_owner_must_exist(self) -> None:
        with pytest.raises(CommandError, match="There is no user 'ann'"):
            create("cat.jpg")


def test_new_links_are_announced(
    ann: Any, cat: File, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[list[str]] = []

    def hear(links: list[DirectLink], **_: Any) -> None:
        heard.append([link.get_absolute_url() for link in links])

    signals.created.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            printed = create("photos/cat 1.jpg", "--dedicated")
    finally:
        signals.created.disconnect(hear)
    assert heard == [[printed.strip()]]


@pytest.mark.parametrize("options", [(), ("--label=x",)])
def test_the_number_of_statements_does_not_depend_on_the_number_of_files(
    ann: Any, options: tuple[str, ...], django_assert_max_num_queries: Any
) -> None:
    paths = [FileFactory(owner=ann).path for _ in range(40)]
    with django_assert_max_num_queries(7):
        create(*paths, *options)
    assert DirectLink.objects.count() == 40
