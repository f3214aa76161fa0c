"""The links that somebody manages, over HTTP."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.connection import ConnectionDoesNotExist
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored, seconds_of
from directlinks.models import DailyDownloads, DirectLink, FormerCode
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.permission_table import ACTORS

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
HOUR = timedelta(hours=1)
UNKNOWN = "UnknownCode22222222222"


@pytest.fixture(autouse=True)
def _it_is_noon() -> Any:
    with time_machine.travel(seconds_of(NOW), tick=False):
        yield


@pytest.fixture
def owner() -> Any:
    return UserFactory()


@pytest.fixture
def api(owner: Any) -> APIClient:
    return APIClient(owner)


def ids(response: Any) -> list[str]:
    return [item["id"] for item in response.json()["data"]["links"]]


class TestItems:
    def test_they_tell_all_but_the_password(self, api: APIClient, owner: Any) -> None:
        DirectLinkFactory(
            file=FileFactory(owner=owner, path="folder/a b.txt"),
            code="abcd",
            downloads=3,
            last_opened_at=NOW - HOUR,
            not_before=NOW - 2 * HOUR,
            expires_at=NOW + timedelta(seconds=1),
            max_downloads=10,
            password=make_password("open sesame"),
            referers="Example.org\nforum.example.com",
            label="<press>",
            note='"quoted"',
        )
        response = api.get("file/source/abcd")
        assert response.json() == {
            "code": 0,
            "data": {
                "id": "abcd",
                "url": "http://testserver/f/abcd/a%20b.txt",
                "file_url": "cloudreve://my/folder/a%20b.txt",
                "name": "a b.txt",
                "downloaded": 3,
                "created_at": "2026-05-04T12:00:00Z",
                "last_opened_at": "2026-05-04T11:00:00Z",
                "state": "active",
                "not_before": "2026-05-04T10:00:00Z",
                "expires_at": "2026-05-04T12:00:01Z",
                "max_downloads": 10,
                "paused": False,
                "has_password": True,
                "referers": ["example.org", "forum.example.com"],
                "ask_first": False,
                "label": "<press>",
                "note": '"quoted"',
            },
            "msg": "",
        }
        assert b"md5" not in response.content
        assert b"<" not in response.content
        assert api.get("file/source").json()["data"]["links"] == [response.json()["data"]]

    @pytest.mark.parametrize(
        ("limits", "state"),
        [
            ({}, "active"),
            ({"paused": True}, "paused"),
            ({"not_before": NOW + HOUR}, "not_yet"),
            ({"expires_at": NOW}, "expired"),
            ({"max_downloads": 1, "downloads": 1}, "used_up"),
            ({"file__deleted_at": NOW}, "trashed"),
        ],
    )
    def test_a_state_has_one_name_in_items_and_filters(
        self, limits: dict[str, Any], state: str, api: APIClient, owner: Any
    ) -> None:
        link = DirectLinkFactory(file__owner=owner, **limits)
        DirectLinkFactory(file__owner=owner, revoked_at=NOW)
        assert api.get(f"file/source/{link.code}").json()["data"]["state"] == state
        assert ids(api.get("file/source", state=state)) == [link.code]

    def test_staff_see_whose_a_file_is(self) -> None:
        link = DirectLinkFactory(file__path="a", file__owner__is_active=False)
        item = APIClient(UserFactory(is_staff=True)).get(f"file/source/{link.code}").json()["data"]
        assert item["file_url"] == f"cloudreve://{link.file.owner.pk}@my/a"
        assert item["state"] == "owner_inactive"

    @pytest.mark.parametrize("asked", [True, "t", "1"])
    def test_snippets_come_along_where_they_are_asked_for(
        self, asked: Any, api: APIClient, owner: Any
    ) -> None:
        name = 'a] ) " <b>.png'
        link = DirectLinkFactory(file__owner=owner, file__path=name, code="abcd")
        url = f"http://testserver{link.get_absolute_url()}"
        expected = {
            "plain": url,
            "markdown": rf'![a\] ) " \<b\>.png]({url})',
            "html": f'<img src="{url}" alt="a] ) &quot; &lt;b&gt;.png">',
            "bbcode": f"[img]{url}[/img]",
            "curl": f"curl -fL -o 'a] ) \" <b>.png' {url}",
        }
        answers = [
            api.get("file/source", snippets=asked).json()["data"]["links"][0],
            api.get("file/source/abcd", snippets=asked).json()["data"],
            api.call("PATCH", f"file/source/abcd?snippets={asked}", {}).json()["data"],
            api.call(
                "PUT",
                f"file/source?snippets={asked}",
                {"uris": [answer_uri(api)], "label": "x"},
            ).json()["data"][0],
        ]
        assert [answer["snippets"] for answer in answers[:3]] == [expected] * 3
        assert set(answers[3]["snippets"]) == set(expected)
        assert answers[3]["snippets"]["plain"] == answers[3]["link"]


def answer_uri(api: APIClient) -> str:
    """The URI of the only file that has a link."""
    uri: str = api.get("file/source/abcd").json()["data"]["file_url"]
    return uri


class TestList:
    def test_it_is_read_page_by_page(self, api: APIClient, owner: Any) -> None:
        file = FileFactory(owner=owner)
        codes = [DirectLinkFactory(file=file).code for _ in range(5)]
        DirectLinkFactory()
        first = api.get("file/source", page_size=2)
        pagination = first.json()["data"]["pagination"]
        assert ids(first) == codes[:2:-1]
        assert set(pagination) == {"page_size", "next_token"}
        second = api.get("file/source", page_size=3, next_token=pagination["next_token"])
        assert ids(second) == codes[2::-1]
        assert second.json()["data"]["pagination"] == {"page_size": 3}

    def test_nothing_is_an_empty_page(self, api: APIClient) -> None:
        expected = {"links": [], "pagination": {"page_size": 50}}
        assert api.get("file/source").json() == {"code": 0, "data": expected, "msg": ""}

    def test_a_page_has_an_end(self, api: APIClient) -> None:
        answer = api.get("file/source", page_size=10**9).json()
        assert answer["data"]["pagination"] == {"page_size": 200}

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["cccc", "bbbb", "aaaa"]),
            ({"order_direction": "asc"}, ["aaaa", "bbbb", "cccc"]),
            ({"order_by": "downloaded"}, ["bbbb", "aaaa", "cccc"]),
            ({"order_by": "name", "order_direction": "asc"}, ["aaaa", "bbbb", "cccc"]),
            ({"uri": "cloudreve://my/b"}, ["bbbb"]),
            ({"uri": "cloudreve://my/"}, ["cccc", "bbbb", "aaaa"]),
            ({"label": "ODD"}, ["cccc", "aaaa"]),
            ({"label": "", "state": "", "uri": ""}, ["cccc", "bbbb", "aaaa"]),
            ({"created_after": "2026-05-04T13:00:00Z"}, ["cccc", "bbbb"]),
            ({"created_before": "2026-05-04T21:00:00+08:00"}, ["aaaa"]),
            ({"state": "active", "label": "even"}, ["bbbb"]),
        ],
    )
    def test_it_is_filtered_and_ordered(
        self, query: dict[str, str], expected: list[str], api: APIClient, owner: Any
    ) -> None:
        for number, (letter, label) in enumerate(zip("abc", ("odd", "even", "odd"), strict=True)):
            file = FileFactory(owner=owner, path=letter)
            DirectLinkFactory(file=file, code=letter * 4, label=label, downloads=(3, 5, 1)[number])
            created = NOW + number * HOUR
            DirectLink.objects.filter(code=letter * 4).update(created_at=created)
        assert ids(api.get("file/source", **query)) == expected

    @pytest.mark.parametrize(
        ("query", "msg"),
        [
            ({"uri": "http://x"}, "unknown uri"),
            ({"state": "dead"}, "state: "),
            ({"label": "a\0"}, "label: "),
            ({"created_after": "2026-05-04T12:00:00"}, "created_after: The time zone is missing"),
            ({"created_before": "yesterday"}, "created_before: Expected a datetime"),
            (
                {"created_after": "0001-01-01T00:00:00+14:00"},
                "created_after: This date is out of range",
            ),
            ({"order_by": "password"}, "order_by: "),
            ({"order_direction": "up"}, "order_direction: "),
            ({"page_size": "0"}, "page_size: "),
            ({"page_size": "many"}, "page_size: "),
            ({"page_size": "9" * 5000}, "page_size: "),
            ({"next_token": "made-up"}, "next_token: "),
            ({"snippets": "perhaps"}, "snippets: "),
        ],
    )
    def test_what_cannot_be_meant_is_refused_by_its_name(
        self, query: dict[str, str], msg: str, api: APIClient
    ) -> None:
        response = api.get("file/source", **query)
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert response.json()["msg"].startswith(msg)

    @pytest.mark.parametrize("number", [1, 20])
    def test_the_number_of_links_does_not_change_the_number_of_statements(
        self, number: int, api: APIClient, owner: Any
    ) -> None:
        for _ in range(number):
            DirectLinkFactory(file__owner=owner)
        with CaptureQueriesContext(connection) as queries:
            response = api.get(
                "file/source", snippets=1, uri="cloudreve://my/", state="active", label=""
            )
        assert len(ids(response)) == number
        assert len(queries) == 2  # the user, and the links


class TestOneLink:
    def test_setting_limits_answers_with_the_link_as_it_is(
        self, api: APIClient, owner: Any
    ) -> None:
        link = DirectLinkFactory(file__owner=owner, reuse_name="a", name="a")
        response = api.patch(
            link.code,
            not_before="2026-05-04T00:00:00+08:00",
            expires_at="2026-06-01T00:00:00Z",
            max_downloads=3,
            paused=True,
            password="open sesame",
            referers=["example.org"],
            ask_first=True,
            label="press",
            note="until June",
        )
        item = response.json()["data"]
        assert item == api.get(f"file/source/{link.code}").json()["data"]
        assert (item["not_before"], item["state"]) == ("2026-05-03T16:00:00Z", "paused")
        assert (item["has_password"], item["ask_first"]) == (True, True)
        link.refresh_from_db()
        assert check_password("open sesame", link.password)
        assert (link.reuse_name, link.referers, link.note) == (None, "example.org", "until June")
        assert LogEntry.objects.get(user=owner, object_id=str(link.pk)).change_message

    def test_null_takes_each_limit_away(self, api: APIClient, owner: Any) -> None:
        limits = {
            "not_before": NOW,
            "expires_at": NOW + HOUR,
            "max_downloads": 3,
            "paused": True,
            "password": make_password("x"),
            "referers": "example.org",
            "ask_first": True,
            "label": "x",
            "note": "x",
        }
        link = DirectLinkFactory(file__owner=owner, **limits)
        item = api.patch(link.code, **dict.fromkeys(limits)).json()["data"]
        assert [item[name] for name in ("not_before", "expires_at", "max_downloads")] == [None] * 3
        names = ("paused", "has_password", "ask_first")
        assert [item[name] for name in names] == [False] * 3
        assert (item["referers"], item["label"], item["note"]) == ([], "", "")

    def test_what_is_absent_stays(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner, max_downloads=3, label="x")
        item = api.patch(link.code, label="y").json()["data"]
        assert (item["max_downloads"], item["label"]) == (3, "y")

    def test_an_end_in_the_past_ends_it_now(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        item = api.patch(link.code, expires_at="2020-01-01T00:00:00Z").json()["data"]
        assert item["state"] == "expired"
        assert Client().get(link.get_absolute_url()).status_code == 410
        assert api.patch(link.code, expires_at=None).json()["data"]["state"] == "active"

    @pytest.mark.parametrize(
        ("body", "msg"),
        [
            ({"color": 1, "paused": True, "code": "x"}, 'Unknown: "code", "color"'),
            ({"uris": [], "cookie": False}, 'Unknown: "cookie", "uris"'),
            ({"x" * 500: 1}, 'Unknown: "' + "x" * 50 + '"'),
            ({"expires_at": "2026-06-01T00:00:00"}, "expires_at: The time zone is missing: "),
            ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at: This date is out of range."),
            ({"not_before": 1}, "not_before: Expected a datetime "),
            ({"max_downloads": 0}, "max_downloads: Ensure this value is greater than "),
            ({"max_downloads": 2**31}, "max_downloads: Ensure this value is less than "),
            ({"max_downloads": "3"}, "max_downloads: A valid integer is required."),
            ({"paused": "true"}, "paused: Must be a valid boolean."),
            ({"ask_first": 1}, "ask_first: Must be a valid boolean."),
            ({"password": 1234}, "password: Not a valid string."),
            ({"password": "x" * 129}, "password: Ensure this field has no more than 128 "),
            ({"referers": "example.org"}, "referers: Expected a list of host names "),
            ({"label": "x" * 256}, "label: Ensure this field has no more than 255 "),
            ({"note": "a\u0000b"}, "note: Null characters are not allowed."),
            (
                {"not_before": "2026-06-01T00:00:00Z", "expires_at": "2026-05-01T00:00:00Z"},
                "expires_at: The link would expire before it opens.",
            ),
        ],
    )
    def test_what_is_wrong_is_refused_and_changes_nothing(
        self, body: dict[str, Any], msg: str, api: APIClient, owner: Any
    ) -> None:
        link = DirectLinkFactory(file__owner=owner)
        before = DirectLink.objects.values().get()
        response = api.call("PATCH", f"file/source/{link.code}", {"label": "changed", **body})
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert response.json()["msg"].startswith(msg)
        assert DirectLink.objects.values().get() == before

    def test_the_sites_ceilings_hold(self, api: APIClient, owner: Any, settings: Settings) -> None:
        settings.DIRECTLINKS = {"MAX_LIFE": 60}
        link = DirectLinkFactory(file__owner=owner)
        msg = api.patch(link.code, expires_at="2026-05-04T12:01:01Z").json()["msg"]
        assert msg == "expires_at: The link must expire by 2026-05-04T12:01:00+00:00."
        assert api.patch(link.code, expires_at="2026-05-04T12:01:00Z").json()["code"] == 0


class Replicas:
    """A router of a site whose reads go where nothing is."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica" if model is DirectLink and "instance" not in hints else "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


@pytest.mark.parametrize(
    ("method", "path", "lags"),
    [
        ("GET", "file/source", True),
        ("GET", "file/source/abcd", True),
        ("GET", "file/source/abcd/statistics", True),
        ("PATCH", "file/source/abcd", False),
        ("DELETE", "file/source/abcd", False),
        ("POST", "file/source/abcd/rotate", False),
    ],
)
def test_what_is_only_shown_may_come_from_a_replica(
    method: str, path: str, lags: bool, settings: Settings, owner: Any
) -> None:
    DirectLinkFactory(file__owner=owner, code="abcd")
    client = APIClient(owner)
    settings.DATABASE_ROUTERS = [Replicas()]
    client.client.raise_request_exception = True
    if lags:
        with pytest.raises(ConnectionDoesNotExist):
            client.call(method, path)
    else:
        assert client.call(method, path, {}).json()["code"] == 0


class TestRotate:
    @pytest.mark.parametrize(
        ("body", "until"),
        [
            (b"", None),
            (b"null", None),
            ({}, None),
            ({"grace": None}, None),
            ({"grace": 0}, None),
            ({"grace": 60}, NOW + timedelta(minutes=1)),
        ],
    )
    def test_the_link_has_another_code(
        self, body: Any, until: datetime | None, api: APIClient, owner: Any
    ) -> None:
        link = DirectLinkFactory(file__owner=owner, label="x", downloads=3, code="abcd")
        item = api.call("POST", "file/source/abcd/rotate", body).json()["data"]
        link.refresh_from_db()
        assert (item["id"], item["label"], item["downloaded"]) == (link.code, "x", 3)
        assert FormerCode.objects.get().until == until
        assert api.get("file/source/abcd").status_code == 404

    @pytest.mark.parametrize(
        "body", [{"grace": -1}, {"grace": "60"}, {"grace": 10**9}, {"Until": 1}, [], b"["]
    )
    def test_a_wrong_grace_rotates_nothing(self, body: Any, api: APIClient, owner: Any) -> None:
        DirectLinkFactory(file__owner=owner, code="abcd")
        response = api.call("POST", "file/source/abcd/rotate", body)
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert DirectLink.objects.get().code == "abcd"


class TestRevoke:
    def test_what_cannot_be_revoked_has_an_error_of_its_own(
        self, api: APIClient, owner: Any
    ) -> None:
        own = [DirectLinkFactory(file__owner=owner, code=code) for code in ("bbbb", "aaaa")]
        foreign = DirectLinkFactory(code="foreign")
        asked = ["bbbb", "a b", "foreign", UNKNOWN, "aaaa", "bbbb"]
        response = api.call("POST", "file/source/revoke", {"ids": asked})
        answer = response.json()
        assert (response.status_code, answer["code"]) == (200, 40081)
        assert answer["data"] == ["bbbb", "aaaa"]
        errors = answer["aggregated_error"]
        assert {key: (one["code"], one["msg"]) for key, one in errors.items()} == {
            "a b": (40001, "Failed to parse object ID"),
            "foreign": (404, "Direct link not found"),
            UNKNOWN: (404, "Direct link not found"),
        }
        standing = DirectLink.objects.filter(revoked_at=None)
        assert set(standing) == {foreign}
        again = api.call("POST", "file/source/revoke", {"ids": [own[0].code]}).json()
        assert (again["code"], again["msg"], "data" in again) == (
            40081,
            "Direct link not found",
            False,
        )

    def test_all_is_a_plain_success(self, api: APIClient, owner: Any) -> None:
        codes = [DirectLinkFactory(file__owner=owner).code for _ in range(3)]
        response = api.call("POST", "file/source/revoke", {"ids": codes})
        assert response.json() == {"code": 0, "data": codes, "msg": ""}

    @pytest.mark.parametrize(
        ("body", "msg"),
        [
            ({}, "Ids cannot be empty"),
            ({"ids": []}, "Ids too short"),
            ({"ids": "abcd"}, "JSON marshall error"),
            ({"ids": [1]}, "JSON marshall error"),
            (b"", "Parameter error"),
        ],
    )
    def test_a_body_of_the_wrong_shape_is_told_as_for_uris(
        self, body: Any, msg: str, api: APIClient
    ) -> None:
        answer = api.call("POST", "file/source/revoke", body).json()
        assert (answer["code"], answer["msg"]) == (40001, msg)

    def test_more_than_the_site_accepts_are_refused(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"MAX_BATCH_SIZE": 2}
        answer = api.call("POST", "file/source/revoke", {"ids": ["abcd"] * 3}).json()
        assert (answer["code"], answer["msg"]) == (40074, "Maximum allowed batch size: 2")

    def test_a_link_called_revoke_is_a_link_like_others(self, api: APIClient, owner: Any) -> None:
        DirectLinkFactory(file__owner=owner, code="revoke")
        assert api.get("file/source/revoke").json()["data"]["id"] == "revoke"
        assert api.patch("revoke", label="x").json()["data"]["label"] == "x"
        assert api.delete("revoke").json()["code"] == 0


class TestStatistics:
    def test_days_are_those_of_the_site(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner, downloads=9, last_opened_at=NOW)
        DailyDownloads.objects.create(link=link, day=date(2026, 5, 3), downloads=7)
        past_midnight = seconds_of(NOW + 5 * HOUR)  # in Shanghai
        with time_machine.travel(past_midnight, tick=False):
            client = APIClient(owner)
            answer = client.get(f"file/source/{link.code}/statistics", days=3).json()
        assert answer["data"] == {
            "downloaded": 9,
            "last_opened_at": "2026-05-04T12:00:00Z",
            "days": [
                {"day": "2026-05-03", "downloaded": 7},
                {"day": "2026-05-04", "downloaded": 0},
                {"day": "2026-05-05", "downloaded": 0},
            ],
        }

    def test_thirty_days_are_the_window(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        data = api.get(f"file/source/{link.code}/statistics").json()["data"]
        assert (len(data["days"]), data["last_opened_at"]) == (30, None)

    @pytest.mark.parametrize("days", ["0", "367", "all", "-1", "1.5"])
    def test_a_window_that_is_none_is_refused(self, days: str, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        answer = api.get(f"file/source/{link.code}/statistics", days=days).json()
        assert (answer["code"], answer["msg"].startswith("days: ")) == (40001, True)


CALLS: list[tuple[str, Callable[[APIClient, str], Any]]] = [
    ("read", lambda client, code: client.get(f"file/source/{code}")),
    ("change", lambda client, code: client.patch(code, paused=True)),
    ("statistics", lambda client, code: client.get(f"file/source/{code}/statistics")),
    ("rotate", lambda client, code: client.call("POST", f"file/source/{code}/rotate", {})),
    ("delete", lambda client, code: client.delete(code)),
]


@pytest.mark.parametrize(("verb", "call"), CALLS)
class TestWhoMay:
    @pytest.mark.parametrize(("name", "kwargs", "manages", "visits"), ACTORS)
    def test_whoever_manages_the_file(
        self,
        name: str,
        kwargs: dict[str, bool] | None,
        manages: bool,
        visits: bool,
        verb: str,
        call: Callable[[APIClient, str], Any],
    ) -> None:
        user = None if kwargs is None else UserFactory(**kwargs)
        link = DirectLinkFactory(**({"file__owner": user} if "owner" in name else {}))
        before = DirectLink.objects.values().get()
        answer = call(APIClient(user), link.code).json()
        assert (answer["code"] == 0) == manages
        assert manages or DirectLink.objects.values().get() == before
        assert manages or answer["code"] in (401, 404)

    def test_to_a_stranger_a_link_is_as_unknown_as_any(
        self, verb: str, call: Callable[[APIClient, str], Any], api: APIClient
    ) -> None:
        api.headers["X-Request-ID"] = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"
        foreign = call(api, DirectLinkFactory().code)
        revoked = call(api, DirectLinkFactory(revoked_at=NOW).code)
        unknown = call(api, UNKNOWN)
        assert foreign.status_code == 404
        assert foreign.json()["msg"] == "Direct link not found"
        assert foreign.content == revoked.content == unknown.content
        assert foreign.headers == unknown.headers

    @pytest.mark.parametrize(
        "code", ["abc", "a" * 65, "%C3%A9t%C3%A9s", "abcd.efgh", "ab/cd", "ab%0Acd"]
    )
    def test_what_is_no_code_costs_no_query(
        self, code: str, verb: str, call: Callable[[APIClient, str], Any], api: APIClient
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            response = call(api, code)
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert response.json()["msg"] == "Failed to parse object ID"
        assert len(queries) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "file/source"),
        ("GET", "file/info?uri=cloudreve://my/a"),
        ("POST", "file/source/revoke"),
    ],
)
def test_nobody_is_told_to_log_in(method: str, path: str) -> None:
    response = APIClient().call(method, path, {"ids": ["abcd"]})
    assert (response.status_code, response.json()["msg"]) == (401, "Login required")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "file/source/abcd"),
        ("POST", "file/source/abcd/rotate"),
        ("POST", "file/source/revoke"),
    ],
)
def test_a_session_needs_its_csrf_token(
    method: str, path: str, owner: Any, settings: Settings
) -> None:
    session = "rest_framework.authentication.SessionAuthentication"
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [session]}
    DirectLinkFactory(file__owner=owner, code="abcd")
    client = APIClient()
    client.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.client.force_login(owner)
    response = client.call(method, path, {"ids": ["abcd"]})
    assert (response.status_code, response.json()["code"]) == (403, 403)
    assert DirectLink.objects.get(code="abcd", revoked_at=None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "file/source/abcd"),
        ("POST", "file/source/abcd/rotate"),
        ("POST", "file/source/revoke"),
    ],
)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"note":"' + b"a" * 10_000_000 + b'"}', 413),
        (b'{"note":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 40001),
        (b'{"grace":' + b"9" * 10_000 + b"}", 40001),
    ],
)
def test_a_body_that_is_too_much_is_refused_before_any_query_but_the_users_row(
    method: str, path: str, body: bytes, code: int, api: APIClient
) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = api.call(method, path, body)
    assert (response.json()["code"], len(queries)) == (code, 1)
