import os
import re
import signal
import subprocess
import sys
from functools import partial
from io import BytesIO, StringIO, TextIOWrapper
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from directlinks.models import DirectLink, File
from example_project.management.commands import demo
from example_project.samples import PICTURE, alices_files
from example_project.showcase import EXAMPLES
from example_project.transcript import WIDTH

# The server's threads have connections of their own, so what they read must be committed.
pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]


def run_once(**options: Any) -> str:
    screen = StringIO()
    call_command("demo", once=True, stdout=screen, **options)
    return screen.getvalue()


def address(label: str, shown: str) -> str:
    """The address behind ``label`` on the last page."""
    (found,) = re.findall(rf"^   {label} +(http\S+)$", shown, re.MULTILINE)
    return str(found)


def fetch(url: str) -> bytes:
    with urlopen(url) as answer:
        return bytes(answer.read())


class InterruptedScreen(StringIO):
    """Where somebody presses Ctrl-C as soon as there is something to see."""

    def write(self, text: str) -> int:
        raise KeyboardInterrupt


def test_every_step_holds() -> None:
    shown = run_once()
    headings = re.findall(r"^\d+\. .+$", shown, re.MULTILINE)
    assert headings == [
        "1. Alice logs in",
        "2. One request, four files, one of which does not exist",
        "3. A visitor opens a link",
        "4. The visitor follows, and has the file",
        "5. HEAD: how large is the picture?",
        "6. A download breaks off halfway",
        "7. The download is resumed",
        "8. Alice revokes a link while a visitor is using it",
        "9. The revoked link leads nowhere",
    ]
    assert "✗" not in shown
    assert shown.endswith("\nEvery step held.\n")


def test_visits_are_counted_once_and_the_revoked_link_is_revoked() -> None:
    run_once()
    links = {str(link.name): link for link in DirectLink.objects.filter(label="")}
    assert {name: link.downloads for name, link in links.items()} == {
        "旅行 notes (été).txt": 1,
        "gradient.png": 1,
        "report.pdf": 1,
    }
    assert [name for name, link in links.items() if link.revoked_at] == ["report.pdf"]


def test_a_second_run_finds_people_files_and_links_as_they_were() -> None:
    run_once()
    codes = set(DirectLink.objects.filter(revoked_at=None).values_list("code", flat=True))
    run_once()
    assert set(DirectLink.objects.filter(revoked_at=None).values_list("code", flat=True)) == codes
    assert get_user_model().objects.count() == 4
    assert File.objects.count() == 4 + len(EXAMPLES)


def test_everything_fits_the_screen_and_shows_no_token() -> None:
    shown = run_once()
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert not re.search(r"[\w-]{41}", shown, re.ASCII)


def test_colours_are_only_for_those_who_can_see_them() -> None:
    assert "\x1b[" not in run_once()
    assert "\x1b[" in run_once(force_color=True)


def test_a_screen_without_ticks_shows_their_escapes() -> None:
    paper = BytesIO()
    screen = TextIOWrapper(paper, encoding="ascii")
    call_command("demo", once=True, stdout=screen)
    assert b"   \\u2713 the answer is 200\n" in paper.getvalue()


def test_a_step_that_fails_is_named(settings: Settings) -> None:
    settings.DIRECTLINKS = {"BATCH_SIZE": 0}
    screen = StringIO()
    with pytest.raises(CommandError, match=r"^Step 2 \(One request.*\) failed: the answer is 200"):
        call_command("demo", once=True, stdout=screen)
    assert screen.getvalue().endswith("     expected  200\n     but got   403\n")


def test_ctrl_c_before_the_end_is_no_success() -> None:
    with pytest.raises(CommandError, match=r"^Interrupted\.$") as interruption:
        call_command("demo", stdout=InterruptedScreen())
    assert interruption.value.returncode == 130


def test_the_site_is_served_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = StringIO()
    fetched = []

    def somebody_looks_around_and_presses_ctrl_c(_seconds: float) -> None:
        fetched.append(fetch(address("A link", screen.getvalue())))
        fetched.append(fetch(address("The admin", screen.getvalue())))
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "sleep", somebody_looks_around_and_presses_ctrl_c)
    call_command("demo", stdout=screen)
    picture, login = fetched
    assert picture == alices_files()[PICTURE]
    assert b"Log in | Django site admin" in login
    assert screen.getvalue().endswith("\nCtrl-C to stop.\n\nStopped.\n")


def test_from_an_empty_folder_to_ctrl_c_as_a_newcomer_runs_it(tmp_path: Path) -> None:
    elsewhere = {"DATABASE_URL", "MEDIA_ROOT"}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in elsewhere},
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DIRECTLINKS_VAR": str(tmp_path / "var"),
        "PYTHONUTF8": "1",
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A job in the background is started deaf to Ctrl-C, and so would be its children. (Unsafe
        # with threads is what takes a lock, and this takes none.)
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        shown = "".join(takewhile(lambda line: line != "Ctrl-C to stop.\n", process.stdout))
        picture = fetch(address("A link", shown))
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "\nStopped.\n"
        assert process.stderr.read() == ""
    assert process.returncode == 0
    assert picture == alices_files()[PICTURE]
