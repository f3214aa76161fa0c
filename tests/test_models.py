"""Files and links: what saving promises, and what the database itself refuses."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.core import paths
from directlinks.core.links import LinkState
from directlinks.datetimes import as_stored
from directlinks.models import DailyDownloads, DirectLink, File, FlushedBatch, FormerCode
from directlinks.services.changing import rotate_direct_link
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

TAKEN = "Another file is at this path. Rename it or move it to the trash first."

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
# 1024 characters, and names of at most 255 bytes.
LONG_PATH = "/".join(["漢" * 79] * 12 + ["字" * 64])


def stored_bytes() -> list[Path]:
    """Every file in the storage of this test."""
    return [entry for entry in Path(site.MEDIA_ROOT).rglob("*") if entry.is_file()]


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/./b",
            "a/../b",
            "a\nb",
            "a\x00b",
            "a\x7fb",
            "a\x85b",
            "a\udc80b",
            "a" * 256,
            "é" * 128,
            "漢" * 86,
            LONG_PATH + "x",
            "/".join("a" * 65),
        ],
    )
    def test_a_path_against_the_rules_is_not_saved(self, path: str) -> None:
        owner = UserFactory()
        with pytest.raises(ValidationError) as caught:
            FileFactory(owner=owner, path=path)
        assert list(caught.value.message_dict) == ["path"]
        assert not File.objects.exists()
        assert stored_bytes() == []

    @pytest.mark.parametrize(
        "path",
        [
            "a",
            "a" * 255,
            "é" * 127,
            "漢" * 85,
            LONG_PATH,
            "/".join("a" * 64),
            "...",
            " a",
            "a\u3000",
        ],
    )
    def test_a_path_at_the_edge_of_the_rules_is_saved_and_found(self, path: str) -> None:
        file = FileFactory(path=path)
        assert File.objects.at([(file.owner_id, path)]).get().path == path

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("A.txt", "a.txt"),
            ("a.txt", "a.txt "),
            ("straße", "strasse"),
            ("ﬁle", "file"),
            (LONG_PATH, LONG_PATH[:-1]),
        ],
    )
    def test_paths_that_only_look_alike_are_two(self, one: str, other: str) -> None:
        owner = UserFactory()
        files = [FileFactory(owner=owner, path=path) for path in (one, other)]
        found = [File.objects.at([(owner.pk, path)]).get() for path in (one, other)]
        assert found == files
        assert File.objects.filter(path=one).get() == files[0]

    def test_two_owners_have_a_path_each(self) -> None:
        first, second = FileFactory(path="a.txt"), FileFactory(path="a.txt")
        assert File.objects.at([(second.owner_id, "a.txt")]).get() == second != first

    def test_a_second_live_file_at_a_path_is_refused_by_the_database(self) -> None:
        file = FileFactory()
        twin = File(
            owner=file.owner,
            path=file.path,
            path_key=file.path_key,
            path_head=file.path_head,
            content_updated_at=NOW,
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            File.objects.bulk_create([twin])
        assert File.objects.get() == file

    def test_a_taken_path_is_a_fault_of_the_path(self) -> None:
        file = FileFactory(path="a.txt")
        with pytest.raises(ValidationError) as caught:
            FileFactory(owner=file.owner, path="a.txt")
        assert caught.value.message_dict == {
            "path": ["Another file is at this path. Rename it or move it to the trash first."]
        }

    def test_a_taken_path_leaves_the_callers_transaction_usable(self) -> None:
        file = FileFactory(path="a.txt")
        with transaction.atomic():
            with pytest.raises(ValidationError):
                FileFactory(owner=file.owner, path="a.txt")
            FileFactory(owner=file.owner, path="b.txt")
        assert sorted(File.objects.values_list("path", flat=True)) == ["a.txt", "b.txt"]

    def test_renaming_onto_a_taken_path_changes_nothing(self) -> None:
        file = FileFactory(path="a.txt")
        other = FileFactory(owner=file.owner, path="b.txt", data=b"others")
        other.path = "a.txt"
        with pytest.raises(ValidationError):
            other.save()
        assert File.objects.get(pk=other.pk).path == "b.txt"
        assert len(stored_bytes()) == 2

    def test_a_path_is_free_again_after_a_rename(self) -> None:
        file = FileFactory(path="a.txt")
        file.path = "b/c.txt"
        file.save(update_fields=["path"])
        other = FileFactory(owner=file.owner, path="a.txt")
        assert File.objects.at([(file.owner_id, "a.txt")]).get() == other
        assert File.objects.at([(file.owner_id, "b/c.txt")]).get() == file

    @pytest.mark.parametrize("change", [{"path_key": None}, {"deleted_at": NOW}])
    def test_the_database_keeps_keys_for_live_files_alone(self, change: dict[str, Any]) -> None:
        file = FileFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            File.objects.filter(pk=file.pk).update(**change)

    def test_the_name_is_the_last_element(self) -> None:
        file = FileFactory(path="photos/2026/cat.jpg")
        assert (file.name, str(file)) == ("cat.jpg", "photos/2026/cat.jpg")


class TestCleaning:
    """What forms and careful callers ask before they save."""

    def test_a_new_file_is_valid(self) -> None:
        File(owner=UserFactory(), path="a.txt", content=ContentFile(b"new", name="a")).full_clean()

    def test_cleaning_is_no_new_content(self) -> None:
        file = File.objects.get(pk=FileFactory().pk)
        file.full_clean()
        assert file.content_is_new is False

    def test_a_renamed_file_is_valid(self) -> None:
        file = FileFactory()
        file.path = "elsewhere"
        file.full_clean()

    def test_a_trashed_file_is_valid_on_a_taken_path(self) -> None:
        file = FileFactory(path="a.txt")
        file.trash()
        FileFactory(owner=file.owner, path="a.txt")
        file.full_clean()

    @pytest.mark.parametrize("path", ["taken", "a//b", ""])
    def test_a_path_that_cannot_be_saved_is_invalid(self, path: str) -> None:
        owner = FileFactory(path="taken").owner
        file = File(owner=owner, path=path, content=ContentFile(b"new", name="a"))
        with pytest.raises(ValidationError) as caught:
            file.full_clean()
        assert "path" in caught.value.message_dict

    @pytest.mark.parametrize(
        "content_type", ["text", "text/", "/plain", "text/plain\r\nX: y", "text/plain\n", "té/xt"]
    )
    def test_a_content_type_that_no_header_can_hold_is_invalid(self, content_type: str) -> None:
        file = FileFactory(path="a.txt")
        file.content_type = content_type
        with pytest.raises(ValidationError) as caught:
            file.full_clean()
        assert list(caught.value.message_dict) == ["content_type"]

    def test_a_file_without_an_owner_has_paths_of_its_own(self) -> None:
        FileFactory(path="a.txt")
        file = File(path="a.txt", content=ContentFile(b"new", name="a"))
        file.full_clean()
        FileFactory(owner=None, path="a.txt")
        with pytest.raises(ValidationError) as caught:
            file.full_clean()
        assert "path" in caught.value.message_dict


class TestContent:
    @pytest.mark.parametrize(
        ("path", "content_type"),
        [
            ("a.txt", "text/plain; charset=utf-8"),
            ("A.PNG", "image/png"),
            ("a", "application/octet-stream"),
            ("a.nosuchtype", "application/octet-stream"),
            ("pdf", "application/octet-stream"),
            ("a.txt.gz", "application/gzip"),
        ],
    )
    def test_saving_fills_in_what_follows_from_it(self, path: str, content_type: str) -> None:
        before = timezone.now()
        file = File.objects.get(pk=FileFactory(path=path, data=b"12345").pk)
        assert (file.size, file.content_type) == (5, content_type)
        assert re.fullmatch("[0-9a-f]{32}", file.version)
        assert before <= file.content_updated_at <= timezone.now()

    @pytest.mark.parametrize("given", ["text/markdown; charset=utf-8", "text/x; charset=koi8-r"])
    def test_a_type_that_is_given_stays(self, given: str) -> None:
        assert FileFactory(path="a.txt", content_type=given).content_type == given

    def test_the_charset_of_a_text_follows_its_content(self) -> None:
        file = FileFactory(path="a.txt", data="café".encode("latin-1"))
        assert file.content_type == "text/plain"
        file.content = ContentFile("café".encode(), name="x")
        file.save()
        assert file.content_type == "text/plain; charset=utf-8"
        file.content = ContentFile("café".encode("utf-16"), name="x")
        file.save()
        fresh = File.objects.get(pk=file.pk)
        assert fresh.content_type == "text/plain"
        assert fresh.content.read() == "café".encode("utf-16")
        fresh.content.close()

    def test_a_file_that_becomes_a_text_by_its_name_is_read_for_its_charset(self) -> None:
        file = FileFactory(path="a.bin", data=b"plain")
        file.path = "a.txt"
        file.save()
        assert file.content_type == "text/plain; charset=utf-8"

    def test_a_site_adds_types_by_extension(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"CONTENT_TYPES": {".step": "model/step"}}
        assert FileFactory(path="part.STEP").content_type == "model/step"

    @pytest.mark.parametrize("update_fields", [None, ["content"]])
    def test_replacing_it_changes_version_size_and_bytes(
        self, update_fields: list[str] | None
    ) -> None:
        file = FileFactory(data=b"old")
        version, old_name = file.version, file.content.name
        updated_at = file.content_updated_at
        file.content = ContentFile(b"newer", name="x")
        file.save(update_fields=update_fields)
        fresh = File.objects.get(pk=file.pk)
        assert fresh.version != version
        assert fresh.content_updated_at > updated_at
        assert (fresh.size, fresh.content.read()) == (5, b"newer")
        fresh.content.close()
        # The bytes that were replaced stay until somebody cleans up.
        assert file.content.storage.exists(old_name)

    def test_assigning_stored_content_of_the_same_name_is_a_new_version(self) -> None:
        file = FileFactory()
        version = file.version
        file.content = file.content.name
        file.save()
        assert File.objects.get(pk=file.pk).version != version

    def test_a_content_survives_a_save_of_another_field(self) -> None:
        file = FileFactory(data=b"old")
        version = file.version
        file.content = ContentFile(b"newer", name="x")
        file.path = "renamed"
        file.save(update_fields=["path"])
        assert File.objects.get(pk=file.pk).version == version
        file.save()
        fresh = File.objects.get(pk=file.pk)
        assert (fresh.size, Path(fresh.content.path).read_bytes()) == (5, b"newer")
        assert fresh.version != version

    @pytest.mark.parametrize("fields", [None, ["content"]])
    def test_reading_the_row_again_forgets_an_assigned_content(
        self, fields: list[str] | None
    ) -> None:
        file = FileFactory()
        version = file.version
        file.content = ContentFile(b"never saved", name="x")
        file.refresh_from_db(fields=fields)
        file.save()
        assert File.objects.get(pk=file.pk).version == version

    def test_reading_another_field_again_keeps_an_assigned_content(self) -> None:
        file = FileFactory()
        version = file.version
        file.content = ContentFile(b"new", name="x")
        file.refresh_from_db(fields=["path"])
        file.save()
        assert File.objects.get(pk=file.pk).version != version

    def test_a_rename_keeps_version_and_bytes(self) -> None:
        file = FileFactory(path="a.txt")
        before = File.objects.values("version", "content", "size").get()
        file.path = "folder/b.png"
        file.save()
        assert File.objects.values("version", "content", "size").get() == before
        assert File.objects.get().content_updated_at == file.content_updated_at

    @pytest.mark.parametrize(
        ("given", "before", "after", "content_type"),
        [
            # A type that was guessed is guessed again …
            ("", "docs", "docs.pdf", "application/pdf"),
            ("", "a.txt", "b.png", "image/png"),
            # … but not forgotten, and one that was given stays.
            ("", "a.png", "a", "image/png"),
            ("x/y", "a.txt", "b.png", "x/y"),
        ],
    )
    def test_a_rename_guesses_the_type_anew(
        self, given: str, before: str, after: str, content_type: str
    ) -> None:
        FileFactory(path=before, content_type=given)
        file = File.objects.get()
        file.path = after
        file.save(update_fields=["path"])
        assert File.objects.get().content_type == content_type

    def test_a_type_that_is_taken_away_is_guessed(self) -> None:
        file = FileFactory(path="a.png", content_type="x/y")
        file.content_type = ""
        file.save()
        assert File.objects.get().content_type == "image/png"

    @pytest.mark.parametrize("columns", [(), ("path",), ("content",)])
    def test_saving_an_unchanged_file_keeps_its_version(self, columns: tuple[str, ...]) -> None:
        made = FileFactory()
        file = File.objects.only(*columns).get()
        _ = file.content.name
        file.save()
        fresh = File.objects.get()
        assert (fresh.version, fresh.content.name) == (made.version, made.content.name)

    @pytest.mark.parametrize(
        ("path", "basename"),
        [
            ("private/plans of ann/a b.txt", "a_b.txt"),
            ("a.txt", "a.txt"),
            ("!!!", "file"),
            ("folder/!!!", "file"),
            ("...", "..."),
            ("C:\\boot.ini", "Cboot.ini"),
            ("<script>.html", "script.html"),
            ("漢字.pdf", "漢字.pdf"),
            ("a" * 255, "a" * 255),
            ("a.tar.gz", "a.tar_gz"),
            ("a.gz.gz", "a.gz_gz"),
            ("A.SVGZ", "A_SVGZ"),
            ("a.Z", "a_Z"),
            (".gz", ".gz"),
            ("a.zip", "a.zip"),
        ],
    )
    def test_it_is_stored_under_a_random_folder(self, path: str, basename: str) -> None:
        file = FileFactory(path=path, owner__username="ann", data=b"there")
        place = re.fullmatch("directlinks/([0-9a-f]{32})/(.+)", file.content.name)
        assert place is not None
        assert place[2] == basename
        assert Path(file.content.path).read_bytes() == b"there"

    def test_the_uploads_own_name_is_nowhere(self) -> None:
        file = File(owner=UserFactory(), path="a.txt")
        file.content = ContentFile(b"bytes", name="../../evil.txt")
        file.save()
        assert file.content.name.endswith("/a.txt")

    def test_a_file_may_have_no_content(self) -> None:
        file = File.objects.create(owner=UserFactory(), path="a.txt")
        assert (file.size, bool(file.content)) == (0, False)

    def test_content_that_the_storage_lacks_is_refused(self) -> None:
        with pytest.raises(ValidationError) as caught:
            File.objects.create(owner=UserFactory(), path="a.txt", content="nowhere/a.txt")
        assert caught.value.message_dict == {"content": ["The storage does not have this content."]}

    def test_deleting_a_row_leaves_the_bytes(self) -> None:
        file = FileFactory(data=b"kept")
        file.delete()
        assert [entry.read_bytes() for entry in stored_bytes()] == [b"kept"]


class TestBytesOfAFileThatWasNotSaved:
    def test_a_taken_path_leaves_none(self) -> None:
        file = FileFactory(path="a.txt")
        before = stored_bytes()
        with pytest.raises(ValidationError):
            FileFactory(owner=file.owner, path="a.txt")
        assert stored_bytes() == before

    def test_a_row_that_the_database_refuses_leaves_none(self) -> None:
        file = FileFactory()
        before = stored_bytes()
        same_key = File(pk=file.pk, path="a.txt", content=ContentFile(b"new", name="a"))
        with pytest.raises(IntegrityError), transaction.atomic():
            same_key.save(force_insert=True)
        assert stored_bytes() == before

    def test_replacing_and_renaming_at_once_onto_a_taken_path_keeps_the_old_content(self) -> None:
        file = FileFactory(path="a.txt")
        other = FileFactory(owner=file.owner, path="b.txt", data=b"old")
        before = stored_bytes()
        other.path, other.content = "a.txt", ContentFile(b"new", name="x")
        with pytest.raises(ValidationError):
            other.save()
        assert stored_bytes() == before
        fresh = File.objects.get(pk=other.pk)
        assert Path(fresh.content.path).read_bytes() == b"old"

    def test_a_second_try_never_saves_a_row_without_bytes(self) -> None:
        file = FileFactory(path="a.txt")
        twin = FileFactory.build(owner=file.owner, path="a.txt")
        with pytest.raises(ValidationError):
            twin.save()
        twin.path = "b.txt"
        with pytest.raises(ValidationError) as caught:
            twin.save()
        assert list(caught.value.message_dict) == ["content"]
        assert File.objects.get() == file

    def test_a_storage_that_breaks_half_way_leaves_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class FullDisk(FileSystemStorage):
            def _save(self, name: str, content: Any) -> str:
                super()._save(name, ContentFile(b"a pa"))  # type: ignore[misc]  # not in the stubs
                raise OSError("No space left on device")

        monkeypatch.setattr(File._meta.get_field("content"), "storage", FullDisk())
        with pytest.raises(OSError, match="No space left"):
            FileFactory(data=b"a part and the rest")
        assert not File.objects.exists()
        assert stored_bytes() == []

    def test_a_storage_that_cannot_delete_either_does_not_hide_the_error(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Gone(FileSystemStorage):
            def _save(self, name: str, content: Any) -> str:
                raise OSError("Connection lost while writing")

            def delete(self, name: str) -> None:
                raise OSError("Connection lost while deleting")

        monkeypatch.setattr(File._meta.get_field("content"), "storage", Gone())
        with pytest.raises(OSError, match="while writing"):
            FileFactory()
        (record,) = caplog.records
        assert "Bytes without a file are left in the storage: directlinks/" in record.message


class TestTrash:
    def test_a_trashed_file_is_no_longer_live_and_its_links_stop(self) -> None:
        link = DirectLinkFactory()
        link.file.trash()
        link.refresh_from_db()
        assert not link.file.is_live
        assert link.state(timezone.now()) is LinkState.TRASHED

    def test_restoring_brings_file_and_links_back(self) -> None:
        file = DirectLinkFactory(file__path="a.txt").file
        file.trash()
        file.restore()
        link = DirectLink.objects.get()
        assert link.state(timezone.now()) is LinkState.ACTIVE
        assert File.objects.at([(link.file.owner_id, "a.txt")]).get() == link.file

    def test_any_number_of_trashed_files_share_a_path_with_a_live_one(self) -> None:
        owner = UserFactory()
        for _ in range(3):
            FileFactory(owner=owner, path="a.txt").trash()
        live = FileFactory(owner=owner, path="a.txt")
        assert File.objects.filter(path="a.txt").count() == 4
        assert File.objects.live().get() == live

    def test_restoring_onto_a_taken_path_changes_nothing(self) -> None:
        file = FileFactory(path="a.txt")
        file.trash()
        taker = FileFactory(owner=file.owner, path="a.txt")
        before = File.objects.values().get(pk=file.pk)
        with pytest.raises(ValidationError) as caught:
            file.restore()
        assert caught.value.message_dict == {
            "path": ["Another file is at this path. Rename it or move it to the trash first."]
        }
        assert not file.is_live
        assert File.objects.values().get(pk=file.pk) == before
        assert File.objects.live().get() == taker

    def test_a_trashed_file_may_be_renamed_and_then_restored(self) -> None:
        file = FileFactory(path="a.txt")
        file.trash()
        FileFactory(owner=file.owner, path="a.txt")
        file.path = "b.txt"
        file.save()
        assert File.objects.get(pk=file.pk).path_key is None
        file.restore()
        assert File.objects.get(pk=file.pk).path_key == paths.key("b.txt")

    def test_both_leave_version_and_bytes_alone(self) -> None:
        file = FileFactory()
        before = File.objects.values("version", "content", "size").get()
        file.trash()
        file.restore()
        assert File.objects.values("version", "content", "size").get() == before


class TestWhatGoesWithWhat:
    def test_deleting_a_file_takes_its_links(self) -> None:
        link, other = DirectLinkFactory(), DirectLinkFactory()
        link.file.delete()
        assert DirectLink.objects.get() == other

    def test_deleting_a_user_takes_files_and_links_and_leaves_the_bytes(self) -> None:
        link = DirectLinkFactory(file__data=b"kept")
        link.file.owner.delete()
        assert not File.objects.exists()
        assert not DirectLink.objects.exists()
        assert [entry.read_bytes() for entry in stored_bytes()] == [b"kept"]

    def test_a_link_outlives_whoever_created_it(self) -> None:
        link = DirectLinkFactory(created_by=UserFactory())
        link.created_by.delete()
        assert DirectLink.objects.get().created_by is None


class TestReuse:
    LIMITS = [
        {"not_before": NOW},
        {"expires_at": NOW},
        {"max_downloads": 1},
        {"paused": True},
        {"revoked_at": NOW},
    ]

    def test_the_database_keeps_one_reusable_link_of_a_name(self) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
        with pytest.raises(IntegrityError), transaction.atomic():
            DirectLinkFactory(file=link.file, name="a.txt", reuse_name="a.txt")

    def test_a_file_may_have_any_number_of_other_links(self) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
        DirectLinkFactory(file=link.file, name="b.txt", reuse_name="b.txt")
        DirectLinkFactory.create_batch(2, file=link.file, name="a.txt")
        assert link.file.links.count() == 4

    def test_a_code_is_issued_once(self) -> None:
        link = DirectLinkFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            DirectLinkFactory(code=link.code)

    def test_codes_that_differ_in_case_are_two(self) -> None:
        links = [DirectLinkFactory(code=code) for code in ("abcd", "ABCD")]
        assert [DirectLink.objects.get(code=code) for code in ("abcd", "ABCD")] == links

    @pytest.mark.parametrize("change", [*LIMITS, {"reuse_name": "another name"}])
    def test_the_database_refuses_a_reusable_link_with_a_limit(
        self, change: dict[str, Any]
    ) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
        with pytest.raises(IntegrityError), transaction.atomic():
            DirectLink.objects.filter(pk=link.pk).update(**change)

    @pytest.mark.parametrize("limit", LIMITS)
    def test_a_link_made_with_a_limit_is_not_reusable(self, limit: dict[str, Any]) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt", **limit)
        assert link.is_restricted
        assert not DirectLink.objects.reusable().exists()

    @pytest.mark.parametrize("update_fields", [False, True])
    @pytest.mark.parametrize("limit", LIMITS)
    def test_a_limit_ends_the_reuse_for_good(
        self, limit: dict[str, Any], update_fields: bool
    ) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
        assert DirectLink.objects.reusable().get() == link
        for name, value in limit.items():
            unlimited = getattr(link, name)
            for state in (value, unlimited):
                setattr(link, name, state)
                link.save(update_fields=[name] if update_fields else None)
        eased = DirectLink.objects.get()
        assert eased.reuse_name is None
        # A revocation is for good as well, unless somebody insists.
        assert eased.is_restricted == ("revoked_at" in limit and not update_fields)

    def test_a_copy_read_before_the_limit_does_not_bring_the_reuse_back(self) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
        stale = DirectLink.objects.get()
        for paused in (True, False):
            link.paused = paused
            link.save()
        stale.save()
        assert DirectLink.objects.get().reuse_name is None


class TestLink:
    def test_its_name_is_that_of_the_file_when_it_was_made(self) -> None:
        link = DirectLinkFactory(file__path="folder/a.txt")
        link.file.path = "b.txt"
        link.file.save()
        link.save()
        assert (DirectLink.objects.get().name, str(link)) == ("a.txt", "a.txt")

    def test_its_address_holds_code_and_name(self) -> None:
        link = DirectLinkFactory(code="abcd", name="a b.txt")
        assert link.get_absolute_url() == "/f/abcd/a%20b.txt"

    def test_its_code_is_drawn_as_the_site_says(self, settings: Any) -> None:
        settings.DIRECTLINKS = {"CODE_LENGTH": 9, "CODE_ALPHABET": "xy"}
        assert re.fullmatch("[xy]{9}", DirectLinkFactory().code)

    def test_saving_keeps_what_was_counted_meanwhile(self) -> None:
        link = DirectLinkFactory()
        DirectLink.objects.filter(pk=link.pk).count_download(NOW)
        link.max_downloads = 7
        link.save()
        fresh = DirectLink.objects.get()
        assert (fresh.downloads, fresh.last_opened_at, fresh.max_downloads) == (1, NOW, 7)

    def test_a_count_that_is_named_is_written(self) -> None:
        link = DirectLinkFactory()
        link.downloads = 5
        link.save(update_fields=["downloads"])
        assert DirectLink.objects.get().downloads == 5

    def test_a_new_link_may_bring_its_count_along(self) -> None:
        assert DirectLinkFactory(downloads=5).downloads == DirectLink.objects.get().downloads

    @pytest.mark.parametrize(
        ("changes", "state"),
        [
            ({}, LinkState.ACTIVE),
            ({"revoked_at": NOW, "paused": True}, LinkState.REVOKED),
            ({"paused": True, "expires_at": NOW}, LinkState.PAUSED),
            ({"not_before": NOW + timedelta(seconds=1)}, LinkState.NOT_YET),
            ({"not_before": NOW}, LinkState.ACTIVE),
            ({"expires_at": NOW}, LinkState.EXPIRED),
            ({"expires_at": NOW + timedelta(seconds=1)}, LinkState.ACTIVE),
            ({"max_downloads": 2, "downloads": 2}, LinkState.USED_UP),
            ({"max_downloads": 2, "downloads": 1}, LinkState.ACTIVE),
            ({"max_downloads": 0}, LinkState.USED_UP),
            ({"file__owner__is_active": False}, LinkState.OWNER_INACTIVE),
        ],
    )
    def test_its_state_follows_from_its_columns(
        self, changes: dict[str, Any], state: LinkState
    ) -> None:
        link = DirectLinkFactory(**changes)
        assert link.state(NOW) is state
        # The statement that counts a download comes to the same judgement.
        counted = DirectLink.objects.filter(pk=link.pk).count_download(NOW)
        assert counted == (state is LinkState.ACTIVE)


class TestCopiesReadSomeTimeAgo:
    def test_saving_one_does_not_undo_a_revocation(self) -> None:
        link = DirectLinkFactory()
        DirectLink.objects.filter(pk=link.pk).revoke(NOW)
        link.save()
        assert DirectLink.objects.get().revoked_at == NOW

    def test_saving_one_does_not_bring_back_a_code_that_was_rotated(self) -> None:
        link, now = DirectLinkFactory(), timezone.now()
        rotated = DirectLink.objects.get()
        rotate_direct_link(rotated, grace=None, user=None, now=now)
        link.label = "x"
        link.save()
        fresh = DirectLink.objects.get()
        assert (fresh.code, fresh.label) == (rotated.code, "x")

    def test_taking_the_reuse_from_a_link_is_saved(self) -> None:
        link = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
        link.reuse_name = None
        link.save()
        assert DirectLink.objects.get().reuse_name is None

    @pytest.mark.parametrize("act", ["trash", "restore"])
    def test_trash_and_restore_know_of_a_rename(self, act: str) -> None:
        file = FileFactory(path="a.txt")
        if act == "restore":
            file.trash()
        renamed = File.objects.get()
        renamed.path = "folder/b.txt"
        renamed.save()
        getattr(file, act)()
        assert file.path == "folder/b.txt"
        assert File.objects.get().path_head == "folder/b.txt"
        found = File.objects.at([(file.owner_id, "folder/b.txt")])
        assert found.exists() == (act == "restore")

    def test_a_second_trash_keeps_the_time_of_the_first(self) -> None:
        file = FileFactory()
        copy = File.objects.get()
        copy.trash()
        file.trash()
        assert file.deleted_at == copy.deleted_at


def test_saving_no_fields_changes_nothing() -> None:
    file = FileFactory()
    file.path = "b.txt"
    before = File.objects.values().get()
    file.save(update_fields=[])
    assert File.objects.values().get() == before


def test_no_row_shows_a_whole_code() -> None:
    link = DirectLinkFactory()
    former = FormerCode(link=link, code="x" * 22)
    assert str(former).startswith("xxxx")
    assert "x" * 5 not in str(former)


def test_counts_show_what_they_are_of() -> None:
    assert str(DailyDownloads(day=NOW.date(), downloads=7)) == "2026-05-04: 7"
    assert str(FlushedBatch(name="host/1")) == "host/1"


def test_a_content_whose_name_leads_out_of_the_storage_is_not_described() -> None:
    file = File(path="a.txt", content="../outside.txt")
    with pytest.raises(SuspiciousFileOperation):
        file.describe_content()
