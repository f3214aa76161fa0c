import socket

import pytest
from django.core.management.color import no_style
from hypothesis import given
from hypothesis import strategies as st

from example_project.server import serving
from example_project.transcript import WIDTH, StepFailed, Transcript, folded


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def transcript(shown: list[str]) -> Transcript:
    transcript = Transcript("http://127.0.0.1", shown.append, no_style())
    transcript.step("Look around", "To see what there is.")
    return transcript


def test_a_step_is_a_numbered_heading(transcript: Transcript, shown: list[str]) -> None:
    transcript.step("Look again", "Once more.")
    assert shown == [
        "", "1. Look around", "   To see what there is.",
        "", "2. Look again", "   Once more.",
    ]  # fmt: skip


def test_what_holds_is_ticked(transcript: Transcript, shown: list[str]) -> None:
    transcript.expect("two and two are four", 2 + 2, 4)
    assert shown[-1] == "   ✓ two and two are four"


def test_what_does_not_hold_is_crossed_and_ends_the_step(
    transcript: Transcript, shown: list[str]
) -> None:
    with pytest.raises(StepFailed, match=r"^Step 1 \(Look around\) failed: one and one are three$"):
        transcript.expect("one and one are three", 1 + 1, 3)
    assert shown[-3:] == ["   ✗ one and one are three", "     expected  3", "     but got   2"]


def test_a_server_that_does_not_answer_fails_the_step(transcript: Transcript) -> None:
    with socket.create_server(("127.0.0.1", 0)) as freed:
        port = freed.getsockname()[1]
    with pytest.raises(StepFailed, match=r"^Step 1 \(Look around\) failed: GET /a had no answer: "):
        transcript.send("GET", f"http://127.0.0.1:{port}/a")


def test_a_long_text_is_broken_off(transcript: Transcript, shown: list[str]) -> None:
    with serving() as site:
        answer = transcript.send("GET", f"{site}/static/admin/css/base.css")
    hidden = len(answer.body.splitlines()) - 40
    assert shown[-1] == f"     … ({hidden} more lines)"


def test_bytes_that_are_no_text_are_counted(transcript: Transcript, shown: list[str]) -> None:
    with serving() as site:
        answer = transcript.send("GET", f"{site}/static/admin/img/search.svg")
    assert shown[-1] == f"     ({len(answer.body):,} bytes)"


def test_of_a_token_only_the_ends_are_shown(transcript: Transcript, shown: list[str]) -> None:
    transcript.expect(f"the token is {'abc.' * 20}", actual=True, expected=True)
    assert shown[-1] == "   ✓ the token is abc.abc.abc.…abc."


def test_a_line_is_cut_behind_a_slash_or_a_blank_and_indented_further_on() -> None:
    line = f"  Location: http://127.0.0.1/{'a' * 60}/{'b' * 60}"
    assert list(folded(line)) == [f"  Location: http://127.0.0.1/{'a' * 60}/", f"      {'b' * 60}"]


@given(st.integers(0, 3 * WIDTH), st.text("ab /", max_size=5 * WIDTH))
def test_folding_loses_nothing_but_blanks_and_fits_the_screen(indent: int, text: str) -> None:
    pieces = list(folded(" " * indent + text))
    assert all(len(piece) <= WIDTH for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
