"""One path in two spellings, composed and decomposed, is one path, and is kept as it was stored."""

import unicodedata
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from directlinks.core import paths
from directlinks.core.records import LinkRecord
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.services.adding import Outcome, Source, add_file
from directlinks.services.transfer import import_links
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))

# An index holds 255 characters of a path, and a name has at most 255 bytes.
PATHS = {
    "accent": "Müsli/café.txt",
    "hangul": "한국/각.txt",
    "long folder": "/".join(["é" * 80] * 4) + "/é.txt",
    "long name": "é" * 127 + "/" + "é" * 127,
    "longer composed": "\u0958" * 80 + "/\u0958.txt",
    "singletons": "\u212bngstr\u00f6m/\u212a.txt",
    "mixed": "Mu\u0308sli/café/e\u0301.txt",
}
SPELLINGS = {
    name: {path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path)}
    for name, path in PATHS.items()
}
both = pytest.mark.parametrize(
    ("stored", "asked"),
    [
        pytest.param(stored, asked, id=name)
        for name, spellings in SPELLINGS.items()
        for stored, asked in permutations(sorted(spellings), 2)
        if paths.fault(stored) is None
    ],
)


def uri(path: str) -> str:
    return f"cloudreve://my/{path}"


@both
class TestLookUps:
    def test_a_link_is_made_for_either(self, stored: str, asked: str) -> None:
        file = FileFactory(path=stored)
        answer = APIClient(file.owner).put(uri(stored), uri(asked)).json()
        assert answer["code"] == 0
        first, second = answer["data"]
        assert first["link"] == second["link"]
        link = DirectLink.objects.get()
        assert (link.file.path, link.name) == (stored, file.name)

    def test_the_number_of_statements_is_that_for_one(self, stored: str, asked: str) -> None:
        file = FileFactory(path=stored)
        api = APIClient(file.owner)
        api.put(uri(stored))
        counts = []
        for uris in ([uri(stored)], [uri(asked)], [uri(stored), uri(asked)]):
            with CaptureQueriesContext(connection) as queries:
                assert api.put(*uris).json()["code"] == 0
            counts.append(len(queries))
        assert len(set(counts)) == 1

    def test_a_folder_is_known_in_either(self, stored: str, asked: str) -> None:
        file = FileFactory(path=stored)
        folder = asked.rpartition("/")[0]
        answer = APIClient(file.owner).put(uri(folder), uri(f"{folder}x"))
        codes = [error["code"] for error in answer.json()["aggregated_error"].values()]
        assert sorted(codes) == [40016, 40077]

    def test_errors_stay_as_they_were_asked(self, stored: str, asked: str) -> None:
        file = FileFactory(path=stored)
        missing = f"{asked.rpartition('/')[0]}/e\u0301 none"
        answer = APIClient(file.owner).put(uri(asked), uri(missing)).json()
        assert len(answer["data"]) == 1
        assert 'failed to walk into "e\u0301 none"' in answer["msg"]

    def test_a_list_has_what_is_at_and_below_either(self, stored: str, asked: str) -> None:
        link = DirectLinkFactory(file__path=stored)
        DirectLinkFactory(file__owner=link.file.owner, file__path="other")
        api = APIClient(link.file.owner)
        for trashed in (False, True):
            if trashed:
                link.file.trash()
            for path in (asked, asked.rpartition("/")[0]):
                answer = api.get("file/source", uri=uri(path)).json()
                assert [one["id"] for one in answer["data"]["links"]] == [link.code]

    def test_a_second_file_at_either_is_refused(self, stored: str, asked: str) -> None:
        file = FileFactory(path=stored)
        if paths.fault(asked) is None:
            with pytest.raises(ValidationError, match="Another file is at this path"):
                FileFactory(owner=file.owner, path=asked)
        FileFactory(path=stored)  # of another owner

    def test_the_trash_makes_room_and_restoring_finds_it_taken(
        self, stored: str, asked: str
    ) -> None:
        file = FileFactory(path=stored)
        file.trash()
        storable = stored if paths.fault(asked) else asked
        second = FileFactory(owner=file.owner, path=storable)
        with pytest.raises(ValidationError, match="Another file is at this path"):
            file.restore()
        second.path = "elsewhere"
        second.save()
        file.restore()
        assert File.objects.at([(file.owner_id, asked)]).get() == file

    def test_the_commands_take_either(
        self, stored: str, asked: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = FileFactory(path=stored)
        name = file.owner.username
        call_command("directlinks_create", name, asked)
        link = DirectLink.objects.get()
        assert link.code in capsys.readouterr().out
        call_command("directlinks_revoke", "--owner", name, "--file", asked)
        link.refresh_from_db()
        assert link.revoked_at is not None


def test_the_spelling_of_a_file_can_be_changed() -> None:
    file = FileFactory(path="café")
    file.path = "cafe\u0301"
    file.save(update_fields=["path"])
    stored = File.objects.values("path", "path_head", "path_nfc").get()
    assert stored == {"path": "cafe\u0301", "path_head": "café", "path_nfc": "café"}
    file.path = "café"
    file.save()
    assert File.objects.get().path_nfc is None


def test_adding_again_in_another_spelling_keeps_what_is_there(tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(b"x")
    owner = UserFactory()
    outcomes = [
        add_file(owner=owner, source=Source(str(source), path), adopt=False, replace=replace)
        for path, replace in [("café", False), ("cafe\u0301", False), ("cafe\u0301", True)]
    ]
    assert outcomes == [Outcome.ADDED, Outcome.KEPT, Outcome.REPLACED]
    assert File.objects.get().path == "café"


@pytest.mark.parametrize("trashed", [False, True])
def test_an_imported_link_finds_its_file_in_another_spelling(trashed: bool) -> None:
    file = FileFactory(path="cafe\u0301/é")
    if trashed:
        file.trash()
        file.refresh_from_db()
    record = LinkRecord(
        code="AbcdEfgh",
        owner=file.owner.username,
        path="café/e\u0301",
        name="é",
        trashed_at=file.deleted_at,
    )
    (step,) = import_links([(1, record)], now=NOW)
    assert step.faults == []
    assert DirectLink.objects.get().file == file
