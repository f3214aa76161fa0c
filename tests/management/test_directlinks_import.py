"""``manage.py directlinks_import`` as whoever runs it sees it."""

import io
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from directlinks import querysets
from directlinks.models import DirectLink
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.management.terminals import Terminal, interrupted, said

pytestmark = pytest.mark.django_db

NOTHING = "0 added, 0 there already, 0 without their file, 0 refused"


def import_(*args: object, into: StringIO | None = None) -> str:
    return said("directlinks_import", *args, into=into)


@pytest.fixture(autouse=True)
def ann() -> Any:
    ann = UserFactory(username="ann")
    FileFactory(owner=ann, path="a.txt")
    return ann


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Three links of one file."""
    file = tmp_path / "links.jsonl"
    lines = [f'{{"code": "code-{n}", "owner": "ann", "path": "a.txt"}}\n' for n in (1, 2, 3)]
    file.write_text("".join(lines))
    return file


def codes() -> set[str]:
    return set(DirectLink.objects.values_list("code", flat=True))


@pytest.mark.parametrize("name", ["links.jsonl", "links.csv"])
def test_what_was_exported_and_wiped_is_back(name: str, tmp_path: Path) -> None:
    links = [DirectLinkFactory(label=label) for label in ("=1", "'2", "\r3\n")]
    before = [(link.get_absolute_url(), link.label) for link in links]
    said("directlinks_export", tmp_path / name)
    DirectLink.objects.all().delete()
    assert import_(tmp_path / name) == (
        "Links: 3 added, 0 there already, 0 without their file, 0 refused.\n"
    )
    back = DirectLink.objects.order_by("pk")
    assert [(link.get_absolute_url(), link.label) for link in back] == before


def test_it_can_be_run_again(three: Path) -> None:
    import_(three)
    assert import_(three) == "Links: 0 added, 3 there already, 0 without their file, 0 refused.\n"
    assert codes() == {"code-1", "code-2", "code-3"}


def test_a_dry_run_changes_nothing(three: Path) -> None:
    assert import_(three, "--dry-run") == (
        "Links: 3 added, 0 there already, 0 without their file, 0 refused."
        " (dry run: nothing was changed)\n"
    )
    assert codes() == set()


@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_links_may_come_through_a_pipe_with_their_line_ends(
    begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'{begin}code,owner,path,label\r\ncode-1,ann,a.txt,"two\r\nlines"\r\n'
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", stdin)
    import_("--format=csv")
    assert DirectLink.objects.get().label == "two\r\nlines"
    assert not stdin.buffer.closed


def test_faults_are_told_and_the_rest_goes_on(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = '{\n{"code": "code-4", "owner": "ann", "path": "\\u202eb.txt"}\n'
    three.write_text(bad + three.read_text())
    out = StringIO()
    with pytest.raises(CommandError, match="2 could not be imported"):
        import_(three, into=out)
    assert out.getvalue() == "Links: 3 added, 0 there already, 1 without their file, 1 refused.\n"
    assert capsys.readouterr().err == (
        "Line 1: Not valid JSON.\nLine 2: code…: ann has no file \\u202eb.txt.\n"
    )


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"owner,path\n", "The first line names no code"),
        (b"\xff", "can't decode"),
    ],
)
def test_a_file_of_another_kind_is_told(tmp_path: Path, data: bytes, fault: str) -> None:
    (tmp_path / "links.csv").write_bytes(data)
    with pytest.raises(CommandError, match=fault):
        import_(tmp_path / "links.csv")


def test_a_file_that_was_cut_off_says_how_far_it_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "STEP", 1)
    (tmp_path / "links.csv").write_text('code,owner,path\ncode-1,ann,a.txt\ncode-2,ann,"a.t')
    out = Terminal()
    with pytest.raises(CommandError, match="Line 3 is no CSV: unexpected end of data"):
        import_(tmp_path / "links.csv", into=out)
    assert out.getvalue() == (
        f"\r\x1b[K1 links read\r\x1b[KLinks: {NOTHING.replace('0 added', '1 added')}.\n"
    )
    assert codes() == {"code-1"}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        import_(tmp_path / "links.csv")


def test_a_terminal_shows_progress_apart_from_faults(
    three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "STEP", 2)
    assert import_(three, into=Terminal()) == (
        "\r\x1b[K2 links read\r\x1b[K3 links read\r\x1b[K"
        "Links: 3 added, 0 there already, 0 without their file, 0 refused.\n"
    )
    three.write_text("{\n")
    out = Terminal()
    with pytest.raises(CommandError, match="1 could not be imported"):
        import_(three, into=out)
    assert out.getvalue().startswith("\r\x1b[K\r\x1b[K1 links read")


@pytest.mark.django_db(transaction=True)
def test_an_interrupt_leaves_whole_steps_and_the_rest_can_be_done(
    three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "STEP", 2)
    out = StringIO()
    with (
        # After the row of the third link was written, before the rest of it.
        interrupted("directlinks_directlink", "UPDATE", after=1),
        pytest.raises(CommandError, match="Run the same command again"),
    ):
        import_(three, into=out)
    assert out.getvalue() == f"Links: {NOTHING.replace('0 added', '2 added')}.\n"
    assert codes() == {"code-1", "code-2"}
    assert import_(three) == "Links: 1 added, 2 there already, 0 without their file, 0 refused.\n"
