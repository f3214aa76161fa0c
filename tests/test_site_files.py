"""Files without an owner: those of the site, which administrators manage."""

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from directlinks.core.links import LinkState
from directlinks.datetimes import as_stored, day_of
from directlinks.models import DirectLink, File
from directlinks.querysets import FileQuerySet
from directlinks.services.diagnostics import Kind, examine
from directlinks.sql import get_batch_queries, get_link_queries
from directlinks.sql.orm import ORMBatchQueries, ORMLinkQueries
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
URI = "cloudreve://~site@my/brochures/2026.pdf"


@pytest.fixture
def file() -> File:
    made: File = FileFactory(owner=None, path="brochures/2026.pdf")
    return made


@pytest.fixture
def admin() -> Any:
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def link(file: File) -> DirectLink:
    made: DirectLink = DirectLinkFactory(file=file, name=file.name, reuse_name=file.name)
    return made


class TestPaths:
    """The site's own space holds one live file at a path, as that of an owner."""

    def test_a_second_file_at_a_path_is_refused(self, file: File) -> None:
        with pytest.raises(ValidationError, match="Another file is at this path"):
            FileFactory(owner=None, path=file.path)
        assert FileFactory(path=file.path).owner is not None

    def test_the_database_refuses_it_as_well(self, file: File) -> None:
        other = FileFactory(owner=None)
        row = File.objects.filter(pk=other.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(path_key=file.path_key, site_path_key=file.site_path_key)

    def test_the_trash_frees_a_path(self, file: File) -> None:
        file.trash()
        assert file.site_path_key is None
        other = FileFactory(owner=None, path=file.path)
        with pytest.raises(ValidationError, match="Another file is at this path"):
            file.restore()
        File.objects.filter(pk=other.pk).trash(NOW)
        file.restore()
        assert file.site_path_key == file.path_key is not None

    def test_a_file_that_gets_an_owner_leaves_the_space(self, file: File) -> None:
        file.owner = UserFactory()
        file.save(update_fields=["owner"])
        file.refresh_from_db()
        assert (file.site_path_key, file.path_key) == (None, file.path_key)
        assert FileFactory(owner=None, path=file.path).site_path_key == file.path_key

    def test_files_and_folders_are_found_among_those_of_owners(self, file: File) -> None:
        owned = FileFactory(path="brochures/2026.pdf")
        files: FileQuerySet = File.objects.all()
        assert {*files.at([(None, file.path), (owned.owner_id, owned.path)])} == {file, owned}
        assert [*files.at([(None, file.path)])] == [file]
        assert [*files.below(None, "brochures")] == [*files.at_or_below(None, "")] == [file]
        asked = [(None, "brochures"), (owned.owner_id, "brochures"), (None, "none")]
        assert files.folders_among(asked) == set(asked[:2])
        assert files.folders_among(asked[:1]) == {asked[0]}

    def test_files_of_very_many_owners_are_found_with_them(
        self, file: File, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("directlinks.querysets._MOST_OWNERS", 1)
        owned = FileFactory(path="brochures/2026.pdf")
        found = File.objects.at([(None, file.path), (owned.owner_id, owned.path)])
        assert {*found} == {file, owned}

    def test_the_statements_of_a_batch_agree_with_the_orm(
        self, file: File, link: DirectLink
    ) -> None:
        owned = FileFactory(path="brochures/2026.pdf")
        places = [(None, file.path), (owned.owner_id, owned.path), (None, "none")]
        owners = {None: None, owned.owner_id: owned.owner}
        found = get_batch_queries().fetch(places, owners)
        assert found == ORMBatchQueries("default").fetch(places, owners)
        assert found.files == {places[0]: file, places[1]: owned}
        assert list(found.links) == [link.file_id]


class TestVisits:
    def test_a_visitor_gets_the_file(self, link: DirectLink, client: Client) -> None:
        response: Any = client.get(client.get(link.get_absolute_url())["Location"])
        assert b"".join(response.streaming_content) == b"some bytes"
        link.refresh_from_db()
        assert link.downloads == 1

    def test_the_written_statements_agree_with_the_orm(self, link: DirectLink) -> None:
        row = get_link_queries().fetch(link.code, NOW)
        assert row is not None
        assert row == ORMLinkQueries("default").fetch(link.code, NOW)
        assert row == get_link_queries().fetch_by_key(link.pk)
        assert row.state(NOW) is link.state(NOW) is LinkState.ACTIVE
        assert list(DirectLink.objects.opening(NOW)) == [link]
        for state in LinkState:
            is_it = state is LinkState.ACTIVE
            assert DirectLink.objects.in_state(state, NOW).exists() is is_it
        for queries in (get_link_queries(), ORMLinkQueries("default")):
            assert queries.count(link.pk, NOW, date(2026, 5, 4))
        link.refresh_from_db()
        assert link.downloads == 2

    @pytest.mark.skipif(connection.vendor == "mysql", reason="It has no UPDATE that returns rows.")
    def test_a_link_is_claimed_in_one_statement(self, link: DirectLink) -> None:
        claimed = get_link_queries().claim(link.code, link.name, NOW, date(2026, 5, 4))
        assert claimed is not None


class TestAPI:
    def test_an_administrator_gets_a_link(self, file: File, admin: Any) -> None:
        api = APIClient(admin)
        (item,) = api.put(URI).json()["data"]
        assert item["file_url"] == URI
        again = api.put(URI).json()["data"]
        assert again == [item]
        (listed,) = api.get("file/source", uri="cloudreve://~site@my/brochures").json()["data"][
            "links"
        ]
        assert (listed["url"], listed["file_url"]) == (item["link"], URI)
        shown = api.get("file/info", uri=URI).json()["data"]
        assert (shown["path"], shown["owned"]) == (URI, False)
        folder = api.get("file/info", uri="cloudreve://~site@my/brochures").json()["data"]
        assert (folder["type"], folder["owned"]) == (1, False)
        assert api.get("file/info", id=str(file.pk)).json()["data"]["path"] == URI

    def test_missing_files_and_folders_are_told_apart(self, file: File, admin: Any) -> None:
        api = APIClient(admin)
        for path, code in (("brochures/none.pdf", 40016), ("brochures", 40077)):
            uri = f"cloudreve://~site@my/{path}"
            assert api.put(uri).json()["aggregated_error"][uri]["code"] == code

    def test_others_learn_nothing(self, file: File, link: DirectLink) -> None:
        api = APIClient(UserFactory())
        there = api.put(URI).json()["aggregated_error"][URI]
        missing_uri = "cloudreve://~site@my/none"
        missing = api.put(missing_uri).json()["aggregated_error"][missing_uri]
        assert {**there, "correlation_id": ""} == {**missing, "correlation_id": ""}
        assert api.get("file/source").json()["data"]["links"] == []
        assert api.get(f"file/source/{link.code}").status_code == 404
        assert api.get("file/info", id=str(file.pk)).json()["code"] != 0


class TestAdmin:
    @pytest.fixture
    def staff(self, admin: Any) -> Client:
        client = Client()
        client.force_login(admin)
        return client

    def test_pages_name_the_site_as_the_owner(
        self, staff: Client, file: File, link: DirectLink
    ) -> None:
        DirectLinkFactory()
        links = reverse("admin:directlinks_directlink_changelist")
        now = timezone.now()
        assert get_link_queries().count(link.pk, now, day_of(now))
        pages = {
            "dashboard": f"{links}dashboard/",
            "links": links,
            "links of the site": f"{links}?owner=~site",
            "link": reverse("admin:directlinks_directlink_change", args=[link.pk]),
            "files": reverse("admin:directlinks_file_changelist"),
        }
        for name, page in pages.items():
            text = staff.get(page).content.decode()
            assert "the site" in text, name
            assert "None" not in text.split("<main", 1)[1], name
        filtered = staff.get(pages["links of the site"])
        assert list(filtered.context["cl"].queryset) == [link]
        assert (
            staff.get(reverse("admin:directlinks_file_change", args=[file.pk])).status_code == 200
        )

    def test_a_file_is_added_without_an_owner(self, staff: Client) -> None:
        upload = StringIO("some text")
        upload.name = "a.txt"
        page = reverse("admin:directlinks_file_add")
        response = staff.post(page, {"owner": "", "path": "a.txt", "content": upload})
        assert response.status_code == 302
        assert File.objects.get().owner is None

    def test_others_cannot_add_one(self, staff: Client, settings: Any) -> None:
        settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.OwnFilesOnly"}
        upload = StringIO("some text")
        upload.name = "a.txt"
        page = reverse("admin:directlinks_file_add")
        response = staff.post(page, {"owner": "", "path": "a.txt", "content": upload})
        assert "You do not have permission to manage files of the site." in (
            response.content.decode()
        )
        assert not File.objects.exists()


class TestCommands:
    def run(self, *args: str) -> str:
        out = StringIO()
        call_command(*args, stdout=out)
        return out.getvalue()

    def test_links_are_created_exported_imported_and_revoked(
        self, file: File, tmp_path: Path
    ) -> None:
        assert "/f/" in self.run("directlinks_create", "~site", file.path)
        exported = self.run("directlinks_export", "--owner", "~site")
        assert '"owner": "~site"' in exported
        code = DirectLink.objects.get().code
        DirectLink.objects.all().delete()
        (tmp_path / "links.jsonl").write_text(exported)
        self.run("directlinks_import", str(tmp_path / "links.jsonl"))
        assert DirectLink.objects.get().code == code
        self.run("directlinks_revoke", "--owner", "~site", "--file", file.path)
        assert DirectLink.objects.get().revoked_at is not None

    def test_links_of_a_trashed_file_come_back(
        self, file: File, link: DirectLink, tmp_path: Path
    ) -> None:
        file.trash()
        exported = self.run("directlinks_export")
        DirectLink.objects.all().delete()
        (tmp_path / "links.jsonl").write_text(exported)
        self.run("directlinks_import", str(tmp_path / "links.jsonl"))
        assert DirectLink.objects.get().file == file

    def test_a_finding_of_the_doctor_names_the_site(self, file: File, link: DirectLink) -> None:
        file.content.storage.delete(str(file.content))
        (examined,) = examine(now=NOW, unused_for=NOW - NOW, kinds=[Kind.BYTES_MISSING])
        (finding,) = examined.findings
        assert (finding.owner, finding.path) == ("~site", file.path)

    def test_a_file_is_added_from_the_disk(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("some text")
        self.run("directlinks_add", "~site", str(tmp_path / "a.txt"))
        assert [(file.owner, file.path) for file in File.objects.all()] == [(None, "a.txt")]
