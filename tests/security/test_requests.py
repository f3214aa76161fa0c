"""Requests that are too much, and URIs that name nothing a user may have."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directlinks.core.uris import file_url
from directlinks.models import DirectLink
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db


class TestRequestsThatAreTooMuch:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (json.dumps({"uris": ["x"] * 100_000}).encode(), 40074),
            (b'{"uris":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 40001),
            (b'{"uris":[' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}", 40001),
            (b'{"uris":["' + b"a" * 10_000_000 + b'"]}', 413),
        ],
    )
    def test_they_are_refused_before_any_query_but_the_users_row(
        self, body: bytes, code: int
    ) -> None:
        client = APIClient(UserFactory())
        with CaptureQueriesContext(connection) as queries:
            response = client.call("PUT", "file/source", body)
        assert response.json()["code"] == code
        assert len(queries) == 1


def as_batch(api: APIClient, uri: str) -> Any:
    return api.put(uri)


def as_dry_run(api: APIClient, uri: str) -> Any:
    return api.call("PUT", "file/source", {"uris": [uri], "dry_run": True})


def as_info(api: APIClient, uri: str) -> Any:
    return api.get("file/info", uri=uri, extended="true")


def as_filter(api: APIClient, uri: str) -> Any:
    return api.get("file/source", uri=uri)


every_way = pytest.mark.parametrize("ask", [as_batch, as_dry_run, as_info, as_filter])


def code_of(response: Any) -> int:
    """That of the one URI that was asked for, or else of the answer."""
    answer = response.json()
    (one,) = answer.get("aggregated_error", {"": answer}).values()
    return int(one["code"])


class TestPaths:
    @every_way
    @pytest.mark.parametrize(
        "written",
        [
            "folder\\a.txt",
            "folder%5Ca.txt",
            "..%5Cfolder%5Ca.txt",
            "folder%2F%2E%2E%5Cfolder%2Fa.txt",
            "folder/a.txt%00",
            "folder/a.txt%20",
            "folder/a.txt.",
            "folder/A.TXT",
            "folder/%EF%BD%81.txt",
            "folder%252Fa.txt",
            "folder%E2%88%95a.txt",
            "folder/%C0%AE%C0%AE/folder/a.txt",
            "folder/%ED%A0%80/../a.txt%ED%A0%80",
            "../folder/a.txt/%2e%2e/%2e%2e/a.txt",
            "folder/a.txt/a.txt",
            "folder%2Fa%2Etxt%2Fx",
            "folder/a.txt\u202e",
        ],
    )
    def test_one_that_is_no_spelling_of_a_file_leads_to_none(
        self, written: str, ask: Callable[[APIClient, str], Any]
    ) -> None:
        link = DirectLinkFactory(
            file__path="folder/a.txt", name="a.txt", reuse_name="a.txt", code="TheCode222"
        )
        response = ask(APIClient(link.file.owner), f"cloudreve://my/{written}")
        assert response.status_code in (200, 404)
        assert code_of(response) == (0 if ask is as_filter else 40016)
        assert link.code not in response.content.decode()
        assert DirectLink.objects.count() == 1

    @every_way
    @pytest.mark.parametrize(
        "written", ["folder/a.txt", "x/../folder//./a.txt", "..%2Ffolder%2fa%2etxt?b#c"]
    )
    def test_one_that_is_a_spelling_of_a_file_leads_to_it(
        self, written: str, ask: Callable[[APIClient, str], Any]
    ) -> None:
        """Or the test above would hold for calls that find nothing."""
        link = DirectLinkFactory(
            file__path="folder/a.txt", name="a.txt", reuse_name="a.txt", code="TheCode222"
        )
        response = ask(APIClient(link.file.owner), f"cloudreve://my/{written}")
        assert link.code in response.content.decode()

    def test_unicode_that_is_composed_otherwise_leads_to_the_same_file(self) -> None:
        owner = UserFactory()
        paths = ["\u00e9.txt", "e\u0301.txt"]
        FileFactory(owner=owner, path=paths[1], data=b"one")
        answer = APIClient(owner).put(*map(file_url, paths)).json()
        assert len({item["link"] for item in answer["data"]}) == 1
        target = Client().get(answer["data"][0]["link"]).headers["Location"]
        assert Client().get(target).getvalue() == b"one"

    def test_unicode_that_only_looks_alike_is_a_file_each(self) -> None:
        owner = UserFactory()
        paths = ["a.txt", "\u0430.txt"]  # Latin and Cyrillic
        for path in paths:
            FileFactory(owner=owner, path=path, data=path.encode())
        answer = APIClient(owner).put(*map(file_url, paths)).json()
        found = [Client().get(item["link"]).headers["Location"] for item in answer["data"]]
        bodies = [Client().get(target).getvalue() for target in found]
        assert bodies == [path.encode() for path in paths]


class TestPlacesWithoutOwnFiles:
    @every_way
    @pytest.mark.parametrize(
        ("uri", "codes", "statements"),
        [
            # What is no URI of ours fails whatever it is part of.
            ("http://my/a.txt", {40001}, 1),
            ("file:///a.txt", {40001}, 1),
            ("javascript:alert(1)", {40001}, 1),
            ("//my/a.txt", {40001}, 1),
            ("a.txt", {40001}, 1),
            # By itself, a file system that does not exist has no number.
            ("cloudreve://elsewhere/a.txt", {-1, 40001}, 1),
            ("cloudreve://my.evil.example/a.txt", {-1, 40001}, 1),
            ("cloudreve://my:80/a.txt", {-1, 40001}, 1),
            ("cloudreve:///a.txt", {-1, 40001}, 1),
            ("cloudreve://trash/a.txt", {403}, 1),
            ("cloudreve://a@share/a.txt", {404}, 1),
            ("cloudreve://shared_with_me/a.txt", {40016}, 1),
            ("cloudreve://nobody@my/a.txt", {40016}, 1),
            ("cloudreve://999999999@my/a.txt", {40016}, 2),
            # A stranger and what is there are looked up, and nothing is told.
            ("cloudreve://STRANGER@my/a.txt", {403}, 3),
            ("cloudreve://STRANGER@my/gone.txt", {403}, 3),
        ],
    )
    def test_they_are_refused_with_little_work(
        self,
        uri: str,
        codes: set[int],
        statements: int,
        ask: Callable[[APIClient, str], Any],
    ) -> None:
        stranger = DirectLinkFactory(file__path="a.txt", file__data=b"of a stranger").file.owner
        api = APIClient(FileFactory(path="a.txt").owner)
        with CaptureQueriesContext(connection) as queries:
            response = ask(api, uri.replace("STRANGER", str(stranger.pk)))
        # A filter that lets nothing through is no mistake.
        expected = codes if ask is not as_filter or codes == {40001} else {0}
        assert code_of(response) in expected
        assert len(queries) <= statements
        assert response.status_code < 500
        assert stranger.username not in response.content.decode()
        assert DirectLink.objects.count() == 1
