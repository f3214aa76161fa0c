"""PUT and DELETE file/source, as the protocol has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import UnreadablePostError
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from directlinks.api.base import BodyTooLarge, json_object
from directlinks.core.uris import file_url
from directlinks.models import DirectLink, File
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory, owner_of
from tests.permission_table import ACTORS

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent.parent / "golden"
CORRELATION = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"


@pytest.fixture
def owner() -> Any:
    return UserFactory()


@pytest.fixture
def api(owner: Any) -> APIClient:
    return APIClient(owner, **{"X-Cr-Correlation-Id": CORRELATION})


@pytest.fixture
def linked(owner: Any) -> Callable[[str, str], File]:
    """A file with a reusable link of a known code."""

    def make(path: str, code: str) -> File:
        file = FileFactory(owner=owner, path=path)
        DirectLinkFactory(file=file, code=code, reuse_name=file.name, name=file.name)
        return file

    return make


def code_of(link: str) -> str:
    return link.split("/")[-2]


class TestTheBytesOnTheWire:
    """Answers compared with files that a person can read."""

    @pytest.mark.parametrize(
        ("case", "uris"),
        [
            ("two_good", ["cloudreve://my/Inspirations/a.zip", "cloudreve://my/新 文件.docx"]),
            (
                "good_and_missing",
                ["cloudreve://my/Inspirations/a.zip", "cloudreve://my/Inspirations/archive.zip"],
            ),
            ("one_missing", ["cloudreve://my/Inspirations/archive.zip"]),
            ("same_missing_twice", ["cloudreve://my/Inspirations/archive.zip"] * 2),
            ("two_missing", ["cloudreve://my/b.txt", "cloudreve://my/<a>&.txt"]),
            ("same_good_twice", ["cloudreve://my/Inspirations/a.zip"] * 2),
            (
                "every_kind",
                [
                    "cloudreve://my/Inspirations/a.zip",
                    "cloudreve://my/Inspirations/archive.zip",
                    "cloudreve://my/Inspirations",
                    "cloudreve://my",
                    "cloudreve://999999@my/theirs.txt",
                    "cloudreve://FOREIGN@my/theirs.txt",
                    "cloudreve://trash/x",
                    "cloudreve://VoMFL:secret@share/x",
                    "cloudreve://shared_with_me/x",
                    "cloudreve://elsewhere/x",
                    "cloudreve://my/trashed.txt",
                    "cloudreve://my/no-bytes.txt",
                ],
            ),
            (
                "one_missing_by_two_names",
                ["cloudreve://my/none", "cloudreve://OWN@my/none"],
            ),
        ],
    )
    def test_they_equal_the_golden_file(
        self,
        case: str,
        uris: list[str],
        api: APIClient,
        owner: Any,
        linked: Callable[[str, str], File],
    ) -> None:
        linked("Inspirations/a.zip", "Cod3ForTheArchive22222")
        linked("新 文件.docx", "Cod3ForTheDocument2222")
        FileFactory(owner=owner, path="trashed.txt").trash()
        lost = FileFactory(owner=owner, path="no-bytes.txt")
        lost.content.storage.delete(lost.content.name)
        stranger = str(FileFactory(path="theirs.txt").owner.pk)

        own = str(owner.pk)
        response = api.put(*(uri.replace("FOREIGN", stranger).replace("OWN", own) for uri in uris))

        answer = response.content.decode().replace(f"//{stranger}@", "//FOREIGN@")
        answer = answer.replace(f"//{own}@", "//OWN@")
        golden = (GOLDEN / f"{case}.json").read_text()
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert response.headers["Cache-Control"] == "private, no-cache"
        # The golden files are indented for people; the wire is compact.
        assert answer == json.dumps(
            json.loads(golden), ensure_ascii=False, separators=(",", ":")
        ).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class TestRequestsOfTheWrongShape:
    @pytest.mark.parametrize(
        ("body", "msg"),
        [
            (b"{}", "Uris cannot be empty"),
            (b"null", "Uris cannot be empty"),
            (b'{"uris":null}', "Uris cannot be empty"),
            (b'{"uris":[]}', "Uris too short"),
            (b'{"uris":"x"}', "JSON marshall error"),
            (b'{"uris":[1]}', "JSON marshall error"),
            (b'{"uris":["cloudreve://my/a",null]}', "JSON marshall error"),
            (b'{"uris":[["cloudreve://my/a"]]}', "JSON marshall error"),
            (b'{"uris":{"0":"cloudreve://my/a"}}', "JSON marshall error"),
            (b"[]", "JSON marshall error"),
            (b'"cloudreve://my/a"', "JSON marshall error"),
            (b"", "Parameter error"),
            (b"[", "Parameter error"),
            (b"uris=cloudreve://my/a", "Parameter error"),
            (b'{"uris":[NaN]}', "Parameter error"),
            (b"[" * 100_000, "Parameter error"),
            (b'{"uris":[' + b"1" * 5_000 + b"]}", "Parameter error"),
            (b'{"uris":["http://my/a"]}', "unknown uri"),
            (b'{"uris":["cloudreve://my/100%"]}', "unknown uri"),
            (b'{"uris":["cloudreve://my/a","x"]}', "unknown uri"),
            (b'{"uris":["cloudreve://my/' + b"a" * 16 * 1024 + b'"]}', "unknown uri"),
        ],
    )
    def test_they_are_refused_before_any_query_but_the_users_row(
        self, body: bytes, msg: str, api: APIClient, owner: Any
    ) -> None:
        FileFactory(owner=owner, path="a")
        with CaptureQueriesContext(connection) as queries:
            response = api.call("PUT", "file/source", body)
        assert response.status_code == 400
        assert response.json() == {"code": 40001, "msg": msg, "correlation_id": CORRELATION}
        assert len(queries) == 1
        assert not DirectLink.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            b'{"URIS":["cloudreve://my/a.txt"]}',
            b' {"uris":["cloudreve://my/a.txt"]} {"uris":1}',
            b'{"uris":[],"uris":["cloudreve://my/a.txt"]}',
        ],
    )
    def test_lenient_json_is_understood(self, body: bytes, api: APIClient, owner: Any) -> None:
        FileFactory(owner=owner, path="a.txt")
        assert api.call("PUT", "file/source", body).json()["code"] == 0

    @pytest.mark.parametrize("content_type", ["", "text/plain", "nonsense", "multipart/form-data"])
    def test_the_content_type_is_not_looked_at(
        self, content_type: str, api: APIClient, owner: Any
    ) -> None:
        FileFactory(owner=owner, path="a.txt")
        response = api.client.generic(
            "PUT",
            "/api/v4/file/source",
            b'{"uris":["cloudreve://my/a.txt"]}',
            content_type=content_type,
            headers=api.headers,
        )
        assert response.json()["code"] == 0

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("cloudreve://my/\ud800", 40016),
            ("cloudreve://my/%ED%A0%80", 40016),
            ("cloudreve://my/%00", 40016),
            ("cloudreve://my/%FF%FE.txt", 40016),
            ("cloudreve://my/" + "a/" * 64 + "a", 40016),
            ("cloudreve://my/" + "a" * 8_000, 40016),
            ("cloudreve://my/" + "%41" * 5_000, 40016),
            ("cloudreve://my/?\ud800", 40077),
        ],
    )
    def test_a_path_that_cannot_be_stored_is_not_looked_up(
        self, text: str, code: int, api: APIClient
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            response = api.put(text)
        (error,) = response.json()["aggregated_error"].values()
        assert error["code"] == code
        assert len(queries) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "cloudreve://my/folder/../a.txt",
            "cloudreve://my/../../a.txt",
            "cloudreve://my/%2e%2e/a.txt",
            "cloudreve://my/folder%2F..%2Fa.txt",
            "cloudreve://my//./a.txt/",
            "CLOUDREVE://MY/a.txt?name=x#y",
        ],
    )
    def test_every_spelling_of_a_path_names_the_one_clean_file(
        self, text: str, api: APIClient, owner: Any
    ) -> None:
        FileFactory(owner=owner, path="a.txt")
        (item,) = api.put(text).json()["data"]
        assert item["file_url"] == "cloudreve://my/a.txt"

    def test_invalid_utf8_is_read_with_replacement_characters(
        self, api: APIClient, owner: Any
    ) -> None:
        FileFactory(owner=owner, path="\ufffd.txt")
        response = api.call("PUT", "file/source", b'{"uris":["cloudreve://my/\xff.txt"]}')
        assert response.json()["code"] == 0

    def test_a_body_above_the_ceiling_is_refused_unread(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"MAX_BATCH_SIZE": 2, "BATCH_SIZE": 2}
        response = api.call("PUT", "file/source", b'{"uris":["' + b"a" * 2 * 16 * 1024 + b'"]}')
        assert response.status_code == 413
        assert response.json()["code"] == 413

    def test_ten_megabytes_are_refused_unread(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(WSGIRequest, "read", None)
        response = api.call("PUT", "file/source", b'{"uris":["' + b"a" * 10_000_000 + b'"]}')
        assert (response.status_code, response.json()["code"]) == (413, 413)

    def test_a_body_of_unannounced_length_is_read_up_to_the_ceiling(
        self, owner: Any, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"MAX_BATCH_SIZE": 2, "BATCH_SIZE": 2}
        read: list[int] = []

        class Endless(WSGIRequest):
            def read(self, *args: Any) -> bytes:
                read.extend(args)
                return b" " * int(args[0])

        with pytest.raises(BodyTooLarge):
            json_object(Endless(RequestFactory().put("/").environ))
        assert read == [2 * 16 * 1024 + 1]

    def test_a_client_that_hangs_up_is_no_error_of_the_server(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hung_up(request: Any, size: int) -> bytes:
            raise UnreadablePostError("reset by peer")

        monkeypatch.setattr(WSGIRequest, "read", hung_up)
        assert api.put("cloudreve://my/a").json()["msg"] == "Parameter error"

    def test_a_lying_content_length_does_not_help(self, api: APIClient) -> None:
        response = api.client.generic(
            "PUT",
            "/api/v4/file/source",
            b"{}",
            CONTENT_LENGTH="many",
            headers=api.headers,
        )
        assert response.json()["msg"] == "Parameter error"


class TestNumbersOfURIs:
    @pytest.mark.parametrize(
        ("settings_", "number", "code", "msg"),
        [
            ({"BATCH_SIZE": 2}, 3, 40014, ""),
            ({"BATCH_SIZE": 2, "MAX_BATCH_SIZE": 4}, 5, 40074, "Maximum allowed batch size: 4"),
            ({"BATCH_SIZE": 0}, 1, 40007, ""),
            ({"BATCH_SIZE": 0, "MAX_BATCH_SIZE": 1}, 2, 40074, "Maximum allowed batch size: 1"),
            ({}, 1001, 40014, ""),
            ({}, 3001, 40074, "Maximum allowed batch size: 3000"),
        ],
    )
    def test_too_many_are_refused_before_they_are_read(
        self,
        settings_: dict[str, int],
        number: int,
        code: int,
        msg: str,
        api: APIClient,
        settings: Settings,
    ) -> None:
        settings.DIRECTLINKS = settings_
        response = api.put(*["not a uri"] * number)
        assert response.status_code == (403 if code == 40007 else 400)
        assert response.json() == {"code": code, "msg": msg, "correlation_id": CORRELATION}

    def test_a_thousand_at_once_are_served(self, api: APIClient, owner: Any) -> None:
        FileFactory(owner=owner, path="a.txt")
        response = api.put(*["cloudreve://my/a.txt"] * 1000)
        assert len(response.json()["data"]) == 1000
        assert DirectLink.objects.count() == 1


class TestLinks:
    @pytest.mark.parametrize(
        ("name", "quoted"),
        [
            ("a b.txt", "a%20b.txt"),
            ("新.txt", "%E6%96%B0.txt"),
            ("100%.txt", "100%25.txt"),
            ("a+b&c=d,e;f$g@h.txt", "a+b&c=d%2Ce%3Bf$g@h.txt"),
            ("a!b'c(d)e*f.txt", "a%21b%27c%28d%29e%2Af.txt"),
            ("[x]{y}^`#?.txt", "%5Bx%5D%7By%7D%5E%60%23%3F.txt"),
            ("a~b_c-d.e", "a~b_c-d.e"),
            ("e\u0301😀.txt", "e%CC%81%F0%9F%98%80.txt"),
            ("a%2Fb.txt", "a%252Fb.txt"),
        ],
    )
    def test_the_name_is_quoted_as_one_segment_and_leads_to_the_file(
        self, name: str, quoted: str, api: APIClient, owner: Any
    ) -> None:
        file = FileFactory(owner=owner, path=f"folder/{name}")
        (item,) = api.put(file_url(file.path)).json()["data"]
        assert item["link"].rpartition("/")[2] == quoted
        assert item["file_url"] == file_url(file.path)
        visit = api.client.get(item["link"].removeprefix("http://testserver"))
        assert visit.status_code == 302

    def test_asking_twice_gives_the_same_link(self, api: APIClient, owner: Any) -> None:
        FileFactory(owner=owner, path="a.txt")
        assert api.put("cloudreve://my/a.txt").json() == api.put("cloudreve://my/a.txt").json()

    def test_a_renamed_file_gets_a_second_link_and_the_first_goes_on(
        self, api: APIClient, owner: Any
    ) -> None:
        file = FileFactory(owner=owner, path="a.txt")
        (first,) = api.put("cloudreve://my/a.txt").json()["data"]
        file.path = "b.txt"
        file.save()
        (second,) = api.put("cloudreve://my/b.txt").json()["data"]
        assert code_of(first["link"]) != code_of(second["link"])
        assert first["link"].endswith("/a.txt")
        assert second["link"].endswith("/b.txt")
        for item in (first, second):
            path = item["link"].removeprefix("http://testserver")
            assert api.client.get(path).status_code == 302

    def test_a_revoked_link_is_not_given_again(self, api: APIClient, owner: Any) -> None:
        FileFactory(owner=owner, path="a.txt")
        (first,) = api.put("cloudreve://my/a.txt").json()["data"]
        api.delete(code_of(first["link"]))
        (second,) = api.put("cloudreve://my/a.txt").json()["data"]
        assert first != second

    @pytest.mark.parametrize(
        ("base", "root"),
        [
            (None, "http://testserver"),
            ("https://files.example.org", "https://files.example.org"),
            ("https://example.org/sub/", "https://example.org/sub"),
        ],
    )
    def test_links_begin_with_the_base_url(
        self, base: str | None, root: str, api: APIClient, owner: Any, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"BASE_URL": base}
        FileFactory(owner=owner, path="a.txt")
        (item,) = api.put("cloudreve://my/a.txt").json()["data"]
        assert item["link"].startswith(f"{root}/f/")

    def test_a_forged_host_is_a_400_of_the_site(self, api: APIClient) -> None:
        assert api.call("PUT", "file/source", {}, Host="evil.example").status_code == 400

    def test_an_administrator_names_the_space_of_another_user(self, owner: Any) -> None:
        FileFactory(owner=owner, path="a b.txt")
        uri = f"cloudreve://{owner.pk}@my/a%20b.txt"
        (item,) = APIClient(UserFactory(is_staff=True)).put(uri).json()["data"]
        assert item["file_url"] == uri

    def test_an_administrator_and_the_owner_share_one_link(
        self, api: APIClient, owner: Any
    ) -> None:
        FileFactory(owner=owner, path="a.txt")
        admin = APIClient(UserFactory(is_staff=True))
        (theirs,) = admin.put(f"cloudreve://{owner.pk}@my/a.txt").json()["data"]
        (own,) = api.put("cloudreve://my/a.txt").json()["data"]
        assert theirs["link"] == own["link"]
        assert DirectLink.objects.filter(created_by__is_staff=True).count() == 1


@pytest.mark.parametrize(("name", "kwargs", "manages", "visits"), ACTORS)
class TestWhoMay:
    def test_create_is_for_those_who_manage_the_file(
        self, name: str, kwargs: dict[str, bool] | None, manages: bool, visits: bool
    ) -> None:
        file = FileFactory(path="a.txt")
        client = client_of(name, kwargs, file)
        response = client.put(f"cloudreve://{file.owner.pk}@my/a.txt")
        assert (response.json()["code"] == 0) == manages
        assert DirectLink.objects.exists() == manages

    def test_delete_is_for_those_who_manage_the_file(
        self, name: str, kwargs: dict[str, bool] | None, manages: bool, visits: bool
    ) -> None:
        link = DirectLinkFactory()
        response = client_of(name, kwargs, link.file).delete(link.code)
        link.refresh_from_db()
        assert (response.json()["code"] == 0) == manages
        assert (link.revoked_at is not None) == manages

    def test_a_visit_is_for_everybody_while_the_owner_is_active(
        self, name: str, kwargs: dict[str, bool] | None, manages: bool, visits: bool
    ) -> None:
        link = DirectLinkFactory()
        client = client_of(name, kwargs, link.file)
        response = client.client.get(link.get_absolute_url(), headers=client.headers)
        assert (response.status_code == 302) == visits


def client_of(name: str, kwargs: dict[str, bool] | None, file: File) -> APIClient:
    if kwargs is None:
        return APIClient()
    if "owner" not in name:
        return APIClient(UserFactory(**kwargs))
    for field, value in kwargs.items():
        setattr(file.owner, field, value)
    owner_of(file).save()
    return APIClient(file.owner)


class TestDelete:
    def test_it_stops_the_link_at_once(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        path = link.get_absolute_url()
        target = api.client.get(path).headers["Location"].removeprefix("http://testserver")
        assert api.client.get(target).getvalue() == b"some bytes"
        response = api.delete(link.code)
        assert (response.status_code, response.content) == (200, b'{"code":0,"msg":""}')
        assert api.client.get(path).status_code == 404
        assert api.client.get(target).status_code == 404

    def test_a_stranger_gets_what_an_unknown_code_gets(self, api: APIClient) -> None:
        foreign = api.delete(DirectLinkFactory().code)
        unknown = api.delete("UnknownCode22222222222")
        again = api.delete("UnknownCode22222222222")
        assert foreign.status_code == 404
        assert foreign.content == unknown.content == again.content
        assert foreign.json()["msg"] == "Direct link not found"

    def test_a_second_time_it_is_not_found(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        api.delete(link.code)
        assert api.delete(link.code).status_code == 404

    def test_it_works_while_the_file_is_in_the_trash(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        link.file.trash()
        assert api.delete(link.code).json()["code"] == 0

    @pytest.mark.parametrize(
        "code", ["abc", "a" * 65, "%C3%A9t%C3%A9s", "abcd.efgh", "%00%00%00%00"]
    )
    def test_what_is_no_code_is_a_parameter_error_without_a_query(
        self, code: str, api: APIClient
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            response = api.delete(code)
        assert (response.status_code, response.json()["code"]) == (400, 40001)
        assert response.json()["msg"] == "Failed to parse object ID"
        assert len(queries) == 1

    def test_the_body_is_not_looked_at(self, api: APIClient, owner: Any) -> None:
        link = DirectLinkFactory(file__owner=owner)
        response = api.call("DELETE", f"file/source/{link.code}", b"\xff[")
        assert response.json()["code"] == 0


class TestStatements:
    """What is asked of the database does not grow with the number of URIs."""

    @pytest.fixture(autouse=True)
    def _files(self, owner: Any) -> None:
        for number in range(20):
            FileFactory(owner=owner, path=f"folder{number}/file{number}.txt")

    @pytest.mark.parametrize(
        ("kind", "statements"),
        [
            # The user; the files with their links.
            ("folder{0}/file{0}.txt", 2),
            # The user; the files; the folders.
            ("missing{0}", 3),
            ("folder{0}", 3),
        ],
    )
    @pytest.mark.parametrize("number", [2, 20])
    def test_it_is_constant(self, kind: str, statements: int, number: int, api: APIClient) -> None:
        uris = ["cloudreve://my/" + kind.format(n) for n in range(number)]
        api.put(*uris)
        with CaptureQueriesContext(connection) as queries:
            api.put(*uris)
        assert len(queries) == statements

    def test_a_strangers_file_costs_the_same_whether_it_is_there_or_not(
        self, api: APIClient
    ) -> None:
        theirs = FileFactory(path="folder/there.txt")
        statements = set()
        for path in ("folder/there.txt", "folder/gone.txt", "folder", "gone", ""):
            with CaptureQueriesContext(connection) as queries:
                api.put(f"cloudreve://{theirs.owner.pk}@my/{path}")
            statements.add(len(queries))
        # The user, the stranger, the files; for a root there is nothing to find.
        assert statements == {2, 3}

    def test_the_element_of_a_single_failure_costs_one_more(self, api: APIClient) -> None:
        with CaptureQueriesContext(connection) as queries:
            response = api.put("cloudreve://my/folder1/none/x")
        assert 'walk into "none"' in response.json()["msg"]
        assert len(queries) == 4


class TestCorrelation:
    def test_a_failure_without_an_id_of_the_client_gets_a_new_one(self, owner: Any) -> None:
        first, second = (APIClient(owner).put("x").json()["correlation_id"] for _ in range(2))
        assert UUID(first) != UUID(second)

    def test_what_is_no_uuid_is_not_echoed(self, owner: Any) -> None:
        answer = APIClient(owner, **{"X-Cr-Correlation-Id": "<x>"}).put("x").json()
        assert UUID(answer["correlation_id"])

    def test_the_usual_header_counts_too(self, owner: Any) -> None:
        answer = APIClient(owner, **{"X-Request-ID": CORRELATION.upper()}).put("x").json()
        assert answer["correlation_id"] == CORRELATION
