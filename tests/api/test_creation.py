"""What a client may wish for when it asks for links."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, IdempotentRequest
from directlinks.services.creating import whole_links
from directlinks.services.limits import EDITABLE_FIELDS
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

A, MISSING = "cloudreve://my/a.txt", "cloudreve://my/missing"


@pytest.fixture
def owner() -> Any:
    return FileFactory(path="a.txt").owner


@pytest.fixture
def api(owner: Any) -> APIClient:
    return APIClient(owner)


def put(api: APIClient, *uris: str, key: str | None = None, **wishes: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.call("PUT", "file/source", {"uris": list(uris or [A]), **wishes}, **headers)


def link_in(response: Any) -> str:
    (item,) = response.json()["data"]
    link: str = item["link"]
    return link


class TestLimits:
    def test_a_link_with_limits_is_the_askers_own(self, api: APIClient, owner: Any) -> None:
        everybodys = link_in(put(api))
        response = put(
            api,
            expires_at="2090-01-01T00:00:00+08:00",
            not_before="2020-01-01T00:00:00Z",
            max_downloads=3,
            password="open sesame",
            referers=["example.org"],
            paused=False,
            ask_first=True,
            label="press",
            note="x",
        )
        assert set(response.json()["data"][0]) == {"link", "file_url"}
        assert link_in(response) != everybodys
        link = DirectLink.objects.get(label="press")
        assert link.expires_at == as_stored(datetime(2089, 12, 31, 16, tzinfo=UTC))
        assert (link.max_downloads, link.referers, link.note) == (3, "example.org", "x")
        assert (link.created_by, link.reuse_name, link.ask_first) == (owner, None, True)
        assert check_password("open sesame", link.password)
        assert link_in(put(api)) == everybodys

    def test_reuse_can_be_declined(self, api: APIClient) -> None:
        links = {link_in(put(api, reuse=reuse)) for reuse in (True, False, False, True)}
        assert len(links) == 3

    @pytest.mark.parametrize(
        "wishes",
        [{}, {"reuse": True}, {"expires_at": None, "label": "", "paused": None}],
    )
    def test_whoever_wishes_for_nothing_gets_what_others_get(
        self, wishes: dict[str, Any], api: APIClient
    ) -> None:
        assert put(api, **wishes).content == put(api).content

    @pytest.mark.parametrize(
        ("wishes", "msg"),
        [
            ({"max_downloads": 0}, "max_downloads: Ensure "),
            ({"expires_at": "2090-01-01"}, "expires_at: Expected a datetime "),
            ({"expires_at": "2090-01-01T00:00"}, "expires_at: The time zone is missing: "),
            ({"reuse": "no"}, "reuse: Must be a valid boolean."),
            ({"reuse": None}, "reuse: This field may not be null."),
            ({"dry_run": 1}, "dry_run: Must be a valid boolean."),
            (
                {"not_before": "2090-01-01T00:00:00Z", "expires_at": "2090-01-01T00:00:00Z"},
                "expires_at: The link would expire before it opens.",
            ),
        ],
    )
    def test_a_wish_that_cannot_be_meant_makes_nothing(
        self, wishes: dict[str, Any], msg: str, api: APIClient
    ) -> None:
        response = put(api, **wishes)
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert response.json()["msg"].startswith(msg)
        assert not DirectLink.objects.exists()

    def test_the_sites_ceilings_hold(self, api: APIClient, settings: Settings) -> None:
        settings.DIRECTLINKS = {"MAX_LIFE": 60}
        refused = put(api, expires_at="2090-01-01T00:00:00Z").json()
        assert (refused["code"], refused["msg"][:12]) == (40001, "expires_at: ")
        link_in(put(api))
        assert DirectLink.objects.get().expires_at is not None

    def test_the_number_of_links_does_not_change_the_number_of_statements(
        self, api: APIClient, owner: Any
    ) -> None:
        uris = [A]
        for number in range(20):
            FileFactory(owner=owner, path=f"{number}.txt")
            uris.append(f"cloudreve://my/{number}.txt")
        counts = []
        for asked in (uris[:2], uris):
            with CaptureQueriesContext(connection) as queries:
                put(api, *asked, label="x")
            counts.append(len(queries))
        # The user; the files; the links, between the ends of a savepoint.
        assert counts == [5, 5]


class TestDetails:
    def test_they_tell_the_link_its_state_and_its_limits(self, api: APIClient) -> None:
        (item,) = put(api, details=True).json()["data"]
        (link,) = api.get("file/source").json()["data"]["links"]
        assert item == {
            "link": link["url"],
            "file_url": A,
            "id": link["id"],
            "is_new": True,
            **{
                name: link[name]
                for name in ("state", "has_password", *EDITABLE_FIELDS)
                if name in link
            },
        }
        assert set(item) == {"link", "file_url", "id", "is_new", "state", "has_password"} | (
            set(EDITABLE_FIELDS) - {"password"}
        )
        (again,) = put(api, details=True).json()["data"]
        assert again == {**item, "is_new": False}

    def test_a_link_that_is_reused_has_the_label_that_it_was_given(self, api: APIClient) -> None:
        code = put(api, details=True).json()["data"][0]["id"]
        api.patch(code, label="press", note="x")
        (item,) = put(api, details=True).json()["data"]
        assert (item["id"], item["label"], item["note"]) == (code, "press", "x")

    def test_limits_are_told_as_they_are_kept(self, api: APIClient) -> None:
        wishes: dict[str, Any] = {
            "max_downloads": 3,
            "password": "sesame",
            "not_before": "2090-01-01T00:00:00Z",
        }
        (item,) = put(api, details=True, **wishes).json()["data"]
        assert (item["max_downloads"], item["has_password"], item["state"]) == (3, True, "not_yet")
        assert item["not_before"] == "2090-01-01T00:00:00Z"
        assert "password" not in item

    def test_in_a_dry_run_they_are_what_they_would_be(self, api: APIClient, owner: Any) -> None:
        FileFactory(owner=owner, path="b.txt")
        known = put(api, details=True).json()["data"][0]
        b = "cloudreve://my/b.txt"
        items = put(api, A, b, details=True, dry_run=True).json()["data"]
        assert items[0] == {**known, "is_new": False}
        assert items[1] == {**known, "link": "", "id": "", "file_url": b}
        (item,) = put(api, b, details=True, dry_run=True, max_downloads=1).json()["data"]
        assert (item["id"], item["is_new"], item["max_downloads"]) == ("", True, 1)

    def test_a_link_that_is_gone_by_then_has_none(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(items: Any) -> Any:
            DirectLink.objects.all().delete()
            return whole_links(items)

        monkeypatch.setattr("directlinks.api.views.whole_links", gone)
        (item,) = put(api, details=True).json()["data"]
        assert set(item) == {"link", "file_url"}

    def test_without_them_an_item_stays_as_it_was(self, api: APIClient) -> None:
        plain: list[dict[str, Any]] = [{}, {"details": False}]
        for wishes in plain:
            (item,) = put(api, **wishes).json()["data"]
            assert set(item) == {"link", "file_url"}

    def test_they_cost_one_statement_for_any_number_of_links(
        self, api: APIClient, owner: Any
    ) -> None:
        uris = [A]
        for number in range(20):
            FileFactory(owner=owner, path=f"{number}.txt")
            uris.append(f"cloudreve://my/{number}.txt")
        put(api, *uris)
        counts = []
        for details, asked in ((False, uris), (True, uris[:1]), (True, uris)):
            with CaptureQueriesContext(connection) as queries:
                put(api, *asked, details=details)
            counts.append(len(queries))
        assert counts == [counts[0], counts[0] + 1, counts[0] + 1]


class TestDryRuns:
    def test_what_would_be_new_has_no_address(self, api: APIClient, owner: Any) -> None:
        FileFactory(owner=owner, path="b.txt")
        everybodys = link_in(put(api))
        response = put(api, A, MISSING, "cloudreve://my/b.txt", dry_run=True)
        answer = response.json()
        assert (response.status_code, answer["code"]) == (200, 40081)
        assert answer["data"] == [
            {"link": everybodys, "file_url": A},
            {"link": "", "file_url": "cloudreve://my/b.txt"},
        ]
        assert list(answer["aggregated_error"]) == [MISSING]
        assert DirectLink.objects.count() == 1

    def test_a_key_and_snippets_make_no_difference(self, api: APIClient) -> None:
        body = {"uris": [A], "dry_run": True}
        path = "file/source?snippets=1"
        response = api.call("PUT", path, body, **{"Idempotency-Key": "k"})
        assert response.json()["data"] == [{"link": "", "file_url": A}]
        assert not IdempotentRequest.objects.exists()


class TestRepeating:
    def test_the_same_request_gets_the_same_answer(self, api: APIClient) -> None:
        first = put(api, A, MISSING, key="k", label="x")
        again = put(api, A, MISSING, key="k", label="x")
        assert first.json()["code"] == 40081
        assert first.content == again.content
        assert first.headers == again.headers
        assert DirectLink.objects.count() == 1

    def test_without_it_there_would_be_two(self, api: APIClient) -> None:
        assert link_in(put(api, label="x")) != link_in(put(api, label="x"))

    def test_the_order_and_the_blanks_of_a_body_are_no_difference(self, api: APIClient) -> None:
        bodies = [
            json.dumps({"uris": [A], "label": "x"}).encode(),
            b' { "label" : "x", "URIS": ["' + A.encode() + b'"] } ',
        ]
        answers = [
            api.call("PUT", "file/source", body, **{"Idempotency-Key": "k"}) for body in bodies
        ]
        assert answers[0].content == answers[1].content

    @pytest.mark.parametrize(
        ("path", "wishes"),
        [
            ("file/source", {"label": "y"}),
            ("file/source", {"label": "x", "password": "x"}),
            ("file/source", {"label": "x", "uris": [A, A]}),
            ("file/source?snippets=1", {"label": "x"}),
        ],
    )
    def test_the_same_key_with_another_request_is_a_conflict(
        self, path: str, wishes: dict[str, Any], api: APIClient
    ) -> None:
        put(api, key="k", label="x")
        response = api.call("PUT", path, {"uris": [A], **wishes}, **{"Idempotency-Key": "k"})
        answer = response.json()
        assert (response.status_code, answer["code"]) == (409, 409)
        assert answer["msg"] == "This Idempotency-Key belongs to another request"
        assert DirectLink.objects.count() == 1

    def test_keys_of_others_are_no_concern(self, api: APIClient) -> None:
        put(api, key="k")
        other = APIClient(UserFactory(is_staff=True))
        assert put(other, "cloudreve://my/none", key="k").json()["code"] == 40081

    def test_a_request_that_failed_may_be_corrected(self, api: APIClient) -> None:
        assert put(api, "no uri", key="k").json()["code"] == 40001
        assert put(api, A, key="k").json()["code"] == 0

    @pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
    def test_what_is_no_key_is_refused(self, key: str, api: APIClient) -> None:
        response = put(api, key=key)
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert response.json()["msg"].startswith("Idempotency-Key: ")
        assert not DirectLink.objects.exists()

    def test_the_longest_key_is_taken(self, api: APIClient) -> None:
        assert put(api, key="x" * 255).json()["code"] == 0

    def test_nothing_secret_is_kept(self, api: APIClient) -> None:
        put(api, key="k", password="open sesame")
        assert "sesame" not in str(IdempotentRequest.objects.values().get())


def test_a_link_made_by_a_batch_costs_no_look_at_its_file(api: APIClient, owner: Any) -> None:
    link = DirectLinkFactory(file__owner=owner, file__path="b", name="b", reuse_name="b")
    with CaptureQueriesContext(connection) as queries:
        body = {"uris": ["cloudreve://my/b"]}
        response = api.call("PUT", "file/source?snippets=true", body)
    assert response.json()["data"][0]["snippets"]["plain"].endswith(link.get_absolute_url())
    assert len(queries) == 2
