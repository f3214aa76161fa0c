"""A typing error is refused and named: it must not make a link that opens for more than meant."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from directlinks.core import records
from directlinks.models import DirectLink
from directlinks.services.limits import EDITABLE_FIELDS
from tests.api.clients import APIClient
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.management.test_commands import COMMANDS

pytestmark = pytest.mark.django_db

A = "cloudreve://my/a.txt"
WISHES = (*EDITABLE_FIELDS, "reuse", "dry_run", "details")


@pytest.fixture
def api() -> APIClient:
    return APIClient(FileFactory(path="a.txt", owner__username="ada").owner)


def refusal(response: Any) -> str:
    answer = response.json()
    assert (response.status_code, answer["code"]) == (400, 40001)
    assert not DirectLink.objects.filter(file__path="a.txt").exists()
    return str(answer["msg"])


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("expires", "expires_at"),
        ("expire_at", "expires_at"),
        ("expiresAt", "expires_at"),
        ("max_download", "max_downloads"),
        ("maxDownloads", "max_downloads"),
        ("Pasword", "password"),
        ("referrers", "referers"),
        ("pause", "paused"),
        ("re_use", "reuse"),
        ("dryrun", "dry_run"),
        ("ask-first", "ask_first"),
        ("detail", "details"),
        ("uri", "uris"),
        ("colour", None),
        ("", None),
    ],
)
def test_a_misspelt_name_in_a_body_is_told_with_the_nearest(
    name: str, nearest: str | None, api: APIClient
) -> None:
    msg = refusal(api.call("PUT", "file/source", {"uris": [A], name: 1}))
    told = f' (did you mean "{nearest}"?)' if nearest else ""
    assert msg == f'Unknown: "{name.lower()}"{told}'


def test_no_body_with_a_name_that_is_not_known_makes_a_link(api: APIClient) -> None:
    known = {"uris", *WISHES}
    near = st.sampled_from(sorted(known)).flatmap(
        lambda name: st.tuples(
            st.integers(0, len(name)), st.text(max_size=3), st.integers(0, 2)
        ).map(lambda edit: name[: edit[0]] + edit[1] + name[edit[0] + edit[2] :])
    )
    names = (near | st.text(max_size=20)).filter(lambda name: name.lower() not in known)
    values = st.none() | st.booleans() | st.integers() | st.text(max_size=5)

    @bounds(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(names, values, min_size=1, max_size=3), st.booleans())
    def check(misspelt: dict[str, Any], more: bool) -> None:
        right = {"max_downloads": 3, "label": "x"} if more else {}
        refusal(api.call("PUT", "file/source", {"uris": [A], **right, **misspelt}))

    check()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_downloads", ["3", True, 0, -1, 1.0, 3.5, [3], {}, 2**31, "", "NaN"]),
        ("expires_at", ["tomorrow", 1, True, "", "2090-01-01", "2090-01-01T00:00:00", [], "1e9"]),
        ("not_before", ["2090-02-30T00:00:00Z", 0, False, "2090-01-01T25:00:00Z"]),
        ("paused", ["true", 1, 0, "yes", "", []]),
        ("ask_first", ["true", 1, 0, "no", [], {}]),
        ("password", [1234, True, [], {"a": 1}]),
        ("referers", ["example.org", [""], ["https://example.org"], [1], {}]),
        ("label", [1, True, []]),
        ("reuse", ["no", 0, 1, "false", None, []]),
        ("dry_run", ["yes", 1, None, "true", []]),
        ("details", ["yes", 1, None]),
    ],
)
def test_a_value_of_another_type_makes_no_link(
    name: str, values: list[Any], api: APIClient
) -> None:
    for value in values:
        msg = refusal(api.call("PUT", "file/source", {"uris": [A], name: value}))
        assert msg.startswith(f"{name}: "), value


@pytest.mark.parametrize(
    ("method", "path", "body", "msg"),
    [
        ("PATCH", "{}", {"pauesd": True}, 'Unknown: "pauesd" (did you mean "paused"?)'),
        ("PATCH", "{}", {"reuse": False}, 'Unknown: "reuse"'),
        ("POST", "{}/rotate", {"graze": 1}, 'Unknown: "graze" (did you mean "grace"?)'),
        ("POST", "revoke", {"ids": ["x"], "dry_run": True}, 'Unknown: "dry_run"'),
        ("PUT", "?max_downloads=1", {"uris": [A]}, 'Unknown: "max_downloads"'),
        ("PUT", "?snippet=1", {"uris": [A]}, 'Unknown: "snippet" (did you mean "snippets"?)'),
        ("GET", "?stat=active", None, 'Unknown: "stat" (did you mean "state"?)'),
        ("GET", "?State=active", None, 'Unknown: "State" (did you mean "state"?)'),
        ("GET", "?owner=ada", None, 'Unknown: "owner"'),
        ("GET", "?state=actve", None, 'state: "actve" is not a valid choice.'),
        ("GET", "?order_by=size", None, 'order_by: "size" is not a valid choice.'),
        (
            "GET",
            "?page_size=0",
            None,
            "page_size: Ensure this value is greater than or equal to 1.",
        ),
        ("GET", "{}?snipets=1", None, 'Unknown: "snipets" (did you mean "snippets"?)'),
        ("GET", "{}/statistics?day=3", None, 'Unknown: "day" (did you mean "days"?)'),
        ("DELETE", "{}?dry_run=true", None, 'Unknown: "dry_run"'),
        ("POST", "revoke?dry_run=true", {"ids": ["x"]}, 'Unknown: "dry_run"'),
    ],
)
def test_a_misspelt_key_is_refused_by_every_call(
    method: str, path: str, body: Any, msg: str, api: APIClient
) -> None:
    link = DirectLinkFactory(file__owner__is_staff=True)
    before = DirectLink.objects.values().get()
    route = f"file/source/{path}".replace("/?", "?").format(link.code)
    answer = APIClient(link.file.owner).call(method, route, body)
    assert (answer.status_code, answer.json()["msg"]) == (400, msg)
    assert DirectLink.objects.values().get() == before


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("file/source?format=xml", 0),
        ("file/source?state=", 0),
        (f"file/info?uri={A}&folder_summary=true&x=1", 0),
    ],
)
def test_what_means_nothing_and_what_existing_clients_send_is_no_error(
    path: str, code: int, api: APIClient
) -> None:
    assert api.call("GET", path).json()["code"] == code


def test_a_login_may_hold_more_than_is_known() -> None:
    UserFactory(username="ada")
    body = {"email": "ada", "password": "correct horse", "captcha": "x", "ticket": "y"}
    assert APIClient().call("POST", "session/token", body).json()["code"] == 0


class TestCommands:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_an_option_is_never_taken_for_the_beginning_of_another(self, command: str) -> None:
        parser = load_command_class("directlinks", command).create_parser("manage.py", command)
        assert parser.allow_abbrev is False

    def test_an_option_that_is_cut_off_makes_no_link(self, api: APIClient) -> None:
        with pytest.raises(CommandError, match="unrecognized arguments: --max-download 1"):
            call_command("directlinks_create", "ada", "a.txt", "--max-download", "1")
        assert not DirectLink.objects.exists()


class TestImports:
    def test_a_misspelt_column_imports_nothing(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        source = tmp_path / "links.csv"
        source.write_text("code,owner,path,max_download\nAbcdEfgh,ada,a.txt,3\n")
        told = r'Unknown: "max_download" \(did you mean "max_downloads"\?\)\.'
        with pytest.raises(CommandError, match=told):
            call_command("directlinks_import", str(source), stdout=io.StringIO())
        line = {"code": "AbcdEfgh", "owner": "ada", "path": "a.txt", "max_download": 3}
        with pytest.raises(ValueError, match=told):
            records.from_json(json.dumps(line))
        source = tmp_path / "links.jsonl"
        source.write_text(json.dumps(line))
        with pytest.raises(CommandError, match="1 could not be imported"):
            call_command("directlinks_import", str(source), stdout=io.StringIO())
        assert not DirectLink.objects.exists()
