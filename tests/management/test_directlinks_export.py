"""``manage.py directlinks_export`` as whoever runs it sees it."""

import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from directlinks import querysets
from directlinks.core import records
from directlinks.core.records import FORMATS
from directlinks.models import DirectLink
from tests.factories import DirectLinkFactory, UserFactory
from tests.management.terminals import Terminal, interrupted, said

pytestmark = pytest.mark.django_db


def export(*args: object, into: StringIO | None = None) -> str:
    return said("directlinks_export", *args, into=into)


@pytest.fixture
def link() -> DirectLink:
    link: DirectLink = DirectLinkFactory(file__owner=UserFactory(username="ann"), label="=1+1")
    return link


def codes_in(text: str, name: str) -> list[str]:
    found = [link for _, link in FORMATS[name].read(text.splitlines(keepends=True))]
    return [getattr(link, "code", str(link)) for link in found]


def test_links_go_to_the_standard_output_and_nothing_else(link: DirectLink) -> None:
    assert codes_in(export(), "jsonl") == [link.code]
    assert codes_in(export("--format=csv"), "csv") == [link.code]
    assert export("--format=csv").startswith('"code","owner","path"')


@pytest.mark.parametrize(
    ("name", "options", "form"),
    [
        ("links.jsonl", (), "jsonl"),
        ("links", (), "jsonl"),
        ("links.CSV", (), "csv"),
        ("links.csv", ("--format=jsonl",), "jsonl"),
        ("links", ("--format=csv",), "csv"),
    ],
)
def test_a_file_says_by_its_name_how_it_is_to_be_written(
    link: DirectLink, tmp_path: Path, name: str, options: tuple[str, ...], form: str
) -> None:
    assert export(tmp_path / name, *options) == "Links: 1 exported.\n"
    assert codes_in((tmp_path / name).read_bytes().decode(), form) == [link.code]


def test_the_file_is_for_its_owner_alone(link: DirectLink, tmp_path: Path) -> None:
    file = tmp_path / "links.jsonl"
    file.write_text("old")
    file.chmod(0o644)
    export(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.glob("*links*")) == [file]


def test_it_may_be_a_device_which_stays_one(link: DirectLink, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        export(pipe)
        assert codes_in(os.read(reader, 10_000).decode(), "jsonl") == [link.code]
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_the_links_of_one_owner_may_be_enough(link: DirectLink) -> None:
    DirectLinkFactory()
    assert codes_in(export("--owner=ann"), "jsonl") == [link.code]
    with pytest.raises(CommandError, match="There is no user 'bob'"):
        export("--owner=bob")


def test_no_links_are_a_file_all_the_same() -> None:
    assert export() == ""
    assert codes_in(export("--format=csv"), "csv") == []
    assert export("--format=csv").count(",") == len(records.COLUMNS) - 1


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        export(tmp_path / "nowhere" / "links.csv")


@pytest.mark.usefixtures("link")
class TestTerminal:
    @pytest.fixture(autouse=True)
    def _more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        DirectLinkFactory()
        monkeypatch.setattr(querysets, "STEP", 1)

    def test_shows_progress_of_a_file(self, tmp_path: Path) -> None:
        assert export(tmp_path / "links.csv", into=Terminal()) == (
            "\r\x1b[K1 links exported\r\x1b[K2 links exported\r\x1b[KLinks: 2 exported.\n"
        )

    def test_shows_progress_beside_a_pipe(self) -> None:
        out, error = StringIO(), Terminal()
        call_command("directlinks_export", stdout=out, stderr=error, no_color=True)
        assert error.getvalue() == "\r\x1b[K1 links exported\r\x1b[K2 links exported\r\x1b[K"
        assert len(codes_in(out.getvalue(), "jsonl")) == 2

    def test_shows_the_links_alone_where_they_go_there(self) -> None:
        out, error = Terminal(), Terminal()
        call_command("directlinks_export", stdout=out, stderr=error, no_color=True)
        assert error.getvalue() == ""
        assert len(codes_in(out.getvalue(), "jsonl")) == 2

    def test_an_interrupt_leaves_the_file_as_it_was(self, tmp_path: Path) -> None:
        file = tmp_path / "links.csv"
        file.write_text("old")
        with (
            interrupted("directlinks_dailydownloads", "SELECT", after=1),
            pytest.raises(CommandError, match="Run the same command again"),
        ):
            export(file)
        assert file.read_text() == "old"
        assert list(tmp_path.glob("*links*")) == [file]

    def test_an_interrupt_leaves_whole_rows_in_a_pipe(self) -> None:
        out = StringIO()
        with (
            interrupted("directlinks_dailydownloads", "SELECT", after=1),
            pytest.raises(CommandError, match="Run the same command again"),
        ):
            export(into=out)
        assert len(codes_in(out.getvalue(), "jsonl")) == 1


def test_nothing_is_changed(link: Any) -> None:
    before = list(DirectLink.objects.values())
    export()
    assert list(DirectLink.objects.values()) == before
