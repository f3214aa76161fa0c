"""The examples of docs/api.md, run as they stand."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from directlinks.api import urls
from tests.real.servers import gunicorn
from tests.real.sites import CHECKOUT, Site, run
from tests.real.test_readme import python_first

PAGE = (CHECKOUT / "docs" / "api.md").read_text()
CALL = re.compile(r"^\| \[`(\w+) ([^`]+)`\]", re.MULTILINE)


def envelopes(output: str) -> Iterator[dict[str, Any]]:
    """The answers in what curl wrote, one after the other."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(output):
        answer, place = decoder.raw_decode(output, place)
        yield answer


@pytest.fixture(scope="module")
def answers(site: Site) -> list[dict[str, Any]]:
    site.add_user("alice")
    site.shell(
        "from django.core.files.base import ContentFile",
        "from directlinks.models import File",
        'alice = User.objects.get(username="alice")',
        'content = ContentFile(b"hello", name="hello.txt")',
        'File.objects.create(owner=alice, path="greetings/hello.txt", content=content)',
    )
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    with gunicorn(site) as server:
        output = run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                commands.replace("http://localhost:8000", server.origin),
            ],
            cwd=site.folder,
            environment={**site.environment, "PATH": python_first()},
        )
    return list(envelopes(output))


def test_each_answers_as_the_page_says(answers: list[dict[str, Any]]) -> None:
    codes = [answer["code"] for answer in answers]
    # Only a link that asks first, an unknown code, and a link that was revoked just before, are no
    # success.
    assert codes == [0, 0, 428, *[0] * 8, 40081, 404, 0]
    data: list[Any] = [answer.get("data") for answer in answers]
    plain, made, _, first, second, found, shown, paused, counted, rotated, file, revoked, *_ = data
    assert plain[0]["link"] != made[0]["link"]
    assert made[0]["snippets"]["plain"] == made[0]["link"]
    pages = [page["links"][0]["url"] for page in (first, second)]
    assert pages[1] == made[0]["link"]
    assert pages[0] not in (made[0]["link"], plain[0]["link"])  # it asks first
    assert [link["url"] for link in found["links"]] == [made[0]["link"]]
    assert (shown["state"], shown["max_downloads"]) == ("active", 100)
    assert (paused["state"], paused["max_downloads"]) == ("paused", None)
    assert len(counted["days"]) == 7
    assert rotated["id"] not in made[0]["link"]
    assert [link["id"] for link in file["extended_info"]["direct_links"]][-2] == rotated["id"]
    assert revoked == [rotated["id"]]


def test_its_table_has_every_call() -> None:
    listed = {(method, re.sub(r"\{code\}", "code", path)) for method, path in CALL.findall(PAGE)}
    routed = {
        (method.upper(), re.sub(r"<directlinks-anything:code>", "code", str(pattern.pattern)))
        for pattern in urls.urlpatterns
        if pattern.name not in (None, "unknown-route")  # those without a name end with a slash
        for method in methods_of(pattern)
    }
    aliases = {("file/source/revoke", method) for method in ("GET", "PATCH", "DELETE")}
    assert listed == {call for call in routed if call[::-1] not in aliases}


def methods_of(pattern: Any) -> set[str]:
    """The methods that the view of ``pattern`` answers, beside HEAD."""
    if (actions := getattr(pattern.callback, "actions", None)) is not None:
        return set(actions) - {"head"}
    view = pattern.callback.view_class
    return {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
