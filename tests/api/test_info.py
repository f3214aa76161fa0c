"""GET file/info, as existing clients read it."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored, seconds_of
from directlinks.models import DirectLink
from directlinks.services import listing
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
A = "cloudreve://my/folder/a%20b.txt"


@pytest.fixture(autouse=True)
def _it_is_noon() -> Any:
    with time_machine.travel(seconds_of(NOW), tick=False):
        yield


@pytest.fixture
def file() -> Any:
    return FileFactory(path="folder/a b.txt")


@pytest.fixture
def api(file: Any) -> APIClient:
    return APIClient(file.owner)


def test_it_has_what_strict_clients_ask_for(api: APIClient, file: Any) -> None:
    answer = api.get("file/info", uri="cloudreve://my/folder/./a b.txt").json()
    assert answer == {
        "code": 0,
        "data": {
            "type": 0,
            "id": str(file.pk),
            "name": "a b.txt",
            "created_at": "2026-05-04T12:00:00Z",
            "updated_at": "2026-05-04T12:00:00Z",
            "size": 10,
            "metadata": {},
            "path": A,
            "capability": "w8edAQ==",
            "owned": True,
            "primary_entity": file.version,
        },
        "msg": "",
    }


def test_links_come_with_what_is_extended(
    api: APIClient, file: Any, django_assert_num_queries: Any
) -> None:
    (item,) = api.put(A).json()["data"]
    DirectLinkFactory(file=file, name="former name", downloads=7, paused=True)
    DirectLinkFactory(file=file, revoked_at=NOW)
    DirectLinkFactory()
    with django_assert_num_queries(4):  # the user, the place, the whole file, its links
        data = api.get("file/info", uri=A, extended="True").json()["data"]
    first, second = DirectLink.objects.filter(file=file, revoked_at=None).order_by("pk")
    assert data["extended_info"] == {
        "storage_used": 10,
        "direct_links": [
            {
                "id": first.code,
                "url": item["link"],
                "downloaded": 0,
                "created_at": "2026-05-04T12:00:00Z",
            },
            {
                "id": second.code,
                "url": f"http://testserver/f/{second.code}/former%20name",
                "downloaded": 7,
                "created_at": "2026-05-04T12:00:00Z",
            },
        ],
    }


def test_a_file_is_asked_for_by_its_id_too(
    api: APIClient, file: Any, django_assert_num_queries: Any
) -> None:
    by_uri = api.get("file/info", uri=A).json()
    with django_assert_num_queries(2):  # the user, the file
        assert api.get("file/info", id=str(file.pk)).json() == by_uri
    staff = APIClient(UserFactory(is_staff=True))
    shown = staff.get("file/info", id=str(file.pk)).json()["data"]
    assert shown["path"] == f"cloudreve://{file.owner.pk}@my/folder/a%20b.txt"


def test_without_links_their_key_is_absent(api: APIClient) -> None:
    assert api.get("file/info", uri=A, extended="1").json()["data"]["extended_info"] == {
        "storage_used": 10
    }


def test_a_folder_is_shown_as_one(
    api: APIClient, file: Any, django_assert_num_queries: Any
) -> None:
    with time_machine.travel("2026-05-05T00:00:00Z", tick=False):
        FileFactory(owner=file.owner, path="folder/sub/b")
    FileFactory(path="folder/another's")
    FileFactory(owner=file.owner, path="folder/gone").trash()
    FileFactory(owner=file.owner, path="folder0/b")
    with django_assert_num_queries(4):  # the user, the place, the folders, what is below
        shown = api.get("file/info", uri="cloudreve://my/folder/", extended="1").json()["data"]
    assert shown == {
        "type": 1,
        "id": shown["id"],
        "name": "folder",
        "created_at": "2026-05-04T12:00:00Z",
        "updated_at": "2026-05-05T00:00:00Z",
        "size": 0,
        "metadata": {},
        "path": "cloudreve://my/folder",
        "capability": "w8edAQ==",
        "owned": True,
        "primary_entity": "",
        "extended_info": {"storage_used": 20},
    }
    again = api.get("file/info", uri="cloudreve://my/folder").json()["data"]
    assert again == {name: shown[name] for name in shown if name != "extended_info"}
    other = api.get("file/info", uri="cloudreve://my/folder0").json()["data"]
    assert (other["name"], other["id"] == again["id"]) == ("folder0", False)
    assert api.get("file/info", id=shown["id"]).json()["msg"] == "unknown file id"
    (error,) = api.put("cloudreve://my/folder").json()["aggregated_error"].values()
    assert error["code"] == 40077


def test_it_has_the_keys_that_the_original_gives_a_folder(api: APIClient) -> None:
    golden = {
        "type",
        "id",
        "name",
        "created_at",
        "updated_at",
        "size",
        "metadata",
        "path",
        "capability",
        "owned",
        "primary_entity",
    }
    shown = api.get("file/info", uri="cloudreve://my/folder", folder_summary="true").json()["data"]
    assert set(shown) == golden


def test_staff_see_the_folders_of_others(file: Any) -> None:
    staff, owner = APIClient(UserFactory(is_staff=True)), file.owner.pk
    data = staff.get("file/info", uri=f"cloudreve://{owner}@my/folder").json()["data"]
    assert (data["type"], data["owned"]) == (1, False)
    assert data["path"] == f"cloudreve://{owner}@my/folder"
    root = staff.get("file/info", uri=f"cloudreve://{owner}@my/").json()
    assert (root["code"], root["msg"]) == (403, "Not supported action")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_folder_is_known_in_either_spelling(form: Any) -> None:
    file = FileFactory(path="/".join(["é" * 80, "e\u0301" * 80, "é" * 120, "x"]))
    folder = unicodedata.normalize(form, file.path.rpartition("/")[0])
    data = APIClient(file.owner).get("file/info", uri=f"cloudreve://my/{folder}").json()["data"]
    assert data["type"] == 1


def test_a_folder_of_which_the_files_have_just_gone_is_missing(
    api: APIClient, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*place: Any) -> Any:
        file.trash()
        return listing.folder_at(*place)

    monkeypatch.setattr("directlinks.api.views.folder_at", gone)
    assert api.get("file/info", uri="cloudreve://my/folder").json()["code"] == 40016


@pytest.mark.parametrize("extended", ["", "0", "false"])
def test_only_whoever_asks_for_more_gets_it(extended: str, api: APIClient) -> None:
    assert "extended_info" not in api.get("file/info", uri=A, extended=extended).json()["data"]


def test_of_very_many_links_the_newest_are_shown(
    api: APIClient, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MOST_OF_A_FILE", 2)
    codes = [DirectLinkFactory(file=file).code for _ in range(3)]
    links = api.get("file/info", uri=A, extended="1").json()["data"]["extended_info"][
        "direct_links"
    ]
    assert [link["id"] for link in links] == codes[1:]


def test_staff_see_the_files_of_others_and_that_they_are_not_theirs(file: Any) -> None:
    DirectLinkFactory(file=file)
    uri = f"cloudreve://{file.owner.pk}@my/folder/a%20b.txt"
    staff = APIClient(UserFactory(is_staff=True))
    data = staff.get("file/info", uri=uri, extended="1").json()["data"]
    assert (data["owned"], data["path"]) == (False, uri)
    assert len(data["extended_info"]["direct_links"]) == 1


@pytest.mark.parametrize(
    ("query", "status", "code", "msg"),
    [
        ({}, 400, 40001, "uri is required"),
        ({"uri": "", "id": ""}, 400, 40001, "uri is required"),
        ({"id": "a"}, 400, 40001, "unknown file id"),
        ({"id": "9" * 30}, 400, 40001, "unknown file id"),
        ({"id": "0"}, 404, 40016, "Path not exist"),
        ({"id": "TRASHED"}, 404, 40016, "Path not exist"),
        ({"id": "FOREIGN"}, 404, 40016, "Path not exist"),
        ({"uri": "a"}, 400, 40001, "unknown uri"),
        ({"uri": "cloudreve://nowhere/a"}, 400, 40001, "unknown uri"),
        ({"uri": A, "extended": "perhaps"}, 400, 40001, "extended: Must be a valid boolean."),
        ({"uri": "cloudreve://my/"}, 403, 403, "Not supported action"),
        ({"uri": "cloudreve://OWN@my"}, 403, 403, "Not supported action"),
        ({"uri": "cloudreve://trash/a"}, 403, 403, "Not supported action"),
        ({"uri": "cloudreve://x@share/a"}, 404, 404, "Shared file does not exist"),
        ({"uri": "cloudreve://my/missing"}, 404, 40016, "Path not exist"),
        ({"uri": "cloudreve://my/fold"}, 404, 40016, "Path not exist"),
        ({"uri": "cloudreve://STRANGER@my/a"}, 403, 403, "Permission denied"),
        ({"uri": "cloudreve://STRANGER@my/missing"}, 403, 403, "Permission denied"),
        ({"uri": "cloudreve://STRANGER@my/"}, 403, 403, "Permission denied"),
        ({"uri": "cloudreve://0@my/a"}, 404, 40016, "Path not exist"),
    ],
)
def test_what_cannot_be_shown_is_a_plain_failure(
    query: dict[str, str],
    status: int,
    code: int,
    msg: str,
    api: APIClient,
    file: Any,
    settings: Settings,
) -> None:
    foreign, trashed = FileFactory(path="a"), FileFactory(owner=file.owner)
    trashed.trash()
    meant = {
        "STRANGER": foreign.owner.pk,
        "OWN": file.owner.pk,
        "FOREIGN": foreign.pk,
        "TRASHED": trashed.pk,
    }
    for word, key in meant.items():
        query = {name: value.replace(word, str(key)) for name, value in query.items()}
    response = api.get("file/info", **query)
    answer = response.json()
    assert (response.status_code, answer["code"], answer["msg"]) == (status, code, msg)
    assert set(answer) == {"code", "msg", "correlation_id"}
