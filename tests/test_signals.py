"""What others hear of, as docs/signals.md tells them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.dispatch import Signal
from django.test import Client

from directlinks import signals
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory

PAGE = (Path(__file__).parent.parent / "docs" / "signals.md").read_text()
A = "cloudreve://my/a"


def test_each_signal_is_in_the_table() -> None:
    declared = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(declared)


@pytest.fixture
def example() -> Iterator[dict[str, Any]]:
    """The code of the page at work; afterwards nobody listens."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/signals.md", "exec"), names)
    yield names
    for signal, receiver in (
        (signals.created, "note_new_links"),
        (signals.changed, "note_changes"),
        (signals.revoked, "note_revocations"),
    ):
        assert signal.disconnect(names[receiver])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("act", "heard"),
    [
        (
            lambda client: client.put("cloudreve://my/a", "cloudreve://my/b"),
            ["ada made a link to b"],
        ),
        (
            lambda client: client.call("PUT", "file/source", {"uris": [A], "label": "x"}),
            ["ada made a link to a"],
        ),
        (
            lambda client: client.patch("abcd", paused=True, label="x"),
            ["ada changed paused, label of a link to a"],
        ),
        (
            lambda client: client.call("POST", "file/source/abcd/rotate"),
            ["ada changed code of a link to a"],
        ),
        (lambda client: client.delete("abcd"), ["ada revoked a link to a"]),
        (
            lambda client: client.call("POST", "file/source/revoke", {"ids": ["abcd", "wxyz"]}),
            ["ada revoked a link to a"],
        ),
        (lambda client: client.get("file/source/abcd"), []),
    ],
)
def test_the_example_hears_what_happens_over_http(
    act: Callable[[APIClient], Any], heard: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    file = FileFactory(path="a", owner__username="ada")
    FileFactory(path="b", owner=file.owner)
    DirectLinkFactory(file=file, code="abcd", name="a", reuse_name="a")
    assert act(APIClient(file.owner)).status_code == 200
    assert [r.getMessage() for r in caplog.records if r.name == "audit"] == heard


@pytest.mark.django_db
@pytest.mark.parametrize("ask_first", [False, True])
def test_what_a_post_is_refused_is_heard_as_what_a_get_is(*, ask_first: bool) -> None:
    link = DirectLinkFactory(password=make_password("secret"), ask_first=ask_first)
    path, code = link.get_absolute_url(), link.code
    unknown = path.replace(code, "NoSuchCodeAnywhere1234")
    heard: list[tuple[str, str]] = []

    def note(code: str, error: Exception, **kwargs: Any) -> None:
        heard.append((code, type(error).__name__))

    signals.refused.connect(note)
    try:
        for data in ({"password": "guess"}, {"password": "secret"}):
            Client().post(path, data)
            Client().post(unknown, data)
    finally:
        signals.refused.disconnect(note)
    was_unknown = ("NoSuchCodeAnywhere1234", "LinkUnknown")
    assert heard == [(code, "WrongPassword"), was_unknown, was_unknown]
