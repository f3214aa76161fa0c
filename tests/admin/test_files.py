"""The pages of files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # has no types
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks.admin import FileAdmin
from directlinks.models import DirectLink, File
from directlinks.policies import OwnerOrAdmin
from directlinks.querysets import FileQuerySet
from tests.admin.pages import (
    FILES,
    LINKS,
    NEW_FILE,
    actions,
    faults,
    listed,
    messages_of,
    page_of,
    press,
    run,
    staff,
    text_of,
)
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db


class SharesGroups(OwnerOrAdmin):
    """Everybody manages the files of those who are in the same groups."""

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        return queryset.filter(owner__groups__in=user.groups.all())


class HidesSecrets(OwnerOrAdmin):
    """A site's own policy: nobody manages what is called a secret."""

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        visible: FileQuerySet = queryset.exclude(path__startswith="secret")
        return super().filter(user, visible)


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("from my desk.bin", data)


class TestList:
    def test_it_shows_each_file_with_the_number_of_its_links(self, browser: Client) -> None:
        file = FileFactory(path="folder/a.txt", data=b"x" * 2048, owner__username="ann")
        DirectLinkFactory.create_batch(2, file=file)
        DirectLinkFactory(file=file).save()
        DirectLink.objects.filter(pk=DirectLinkFactory(file=file).pk).revoke(file.updated_at)
        html = browser.get(FILES).content.decode()
        for shown in ("folder/a.txt", "ann", "2.0\xa0KB", "text/plain"):
            assert shown in html
        links = f"{LINKS}?file__id__exact={file.pk}"
        assert f'<a href="{links}">3</a>' in html
        assert len(listed(browser, LINKS, file__id__exact=str(file.pk))) == 4

    @pytest.mark.parametrize(
        ("query", "found"),
        [("cats", {"a"}), ("ann", {"a", "b"}), ("CATS", {"a"}), ("nothing", set())],
    )
    def test_it_is_searched_by_path_and_owner(
        self, browser: Client, query: str, found: set[str]
    ) -> None:
        ann = UserFactory(username="ann")
        files = {
            "a": FileFactory(owner=ann, path="cats.jpg"),
            "b": FileFactory(owner=ann, path="dogs.jpg"),
            "c": FileFactory(owner__username="bob", path="birds.jpg"),
        }
        assert listed(browser, FILES, q=query) == {files[name] for name in found}

    def test_trash_is_a_filter(self, browser: Client) -> None:
        live, trashed = FileFactory(), FileFactory()
        trashed.trash()
        assert listed(browser, FILES) == {live, trashed}
        assert listed(browser, FILES, trash="no") == {live}
        assert listed(browser, FILES, trash="yes") == {trashed}

    def test_facets_count_files_and_not_their_links(self, browser: Client) -> None:
        live = FileFactory()
        DirectLinkFactory.create_batch(3, file=live)
        for file in FileFactory.create_batch(2):
            file.trash()
        html = browser.get(FILES, {"_facets": "True"}).content.decode()
        assert "Live (1)" in html
        assert "In the trash (2)" in html

    @pytest.mark.parametrize("column", range(1, 8))
    def test_every_column_sorts(self, browser: Client, column: int) -> None:
        files = FileFactory.create_batch(2)
        DirectLinkFactory(file=files[0])
        assert listed(browser, FILES, o=str(column)) == set(files)

    def test_its_statements_do_not_grow_with_its_rows(self, browser: Client) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as captured:
                browser.get(FILES, {"_facets": "True"})
            return len(captured)

        for file in FileFactory.create_batch(3):
            DirectLinkFactory(file=file)
        few = count()
        for file in FileFactory.create_batch(27):
            DirectLinkFactory(file=file)
        assert count() == few

    def test_a_name_is_text_and_never_markup(self, browser: Client) -> None:
        file = FileFactory(path="<script>alert(1)</script>.txt".replace("/", "\u2044"))
        other = FileFactory(path="<script>alert(1)</script>.txt")
        for page in (FILES, page_of(file), page_of(other)):
            html = browser.get(page).content.decode()
            assert "<script>alert" not in html
            assert "&lt;script&gt;alert" in html
        for row in (file, other):
            messages = run(browser, FILES, "create_links", [row])
            assert "<script>" not in "".join(messages)
            row.trash()
            FileFactory(owner=row.owner, path=row.path)
            (fault, _) = run(browser, FILES, "restore_files", [row])
            assert "<script>" not in fault
            assert "&lt;script&gt;" in fault


class TestForm:
    def test_a_file_is_added_by_upload(self, browser: Client) -> None:
        owner = UserFactory()
        assert browser.get(NEW_FILE).status_code == 200
        data = {"owner": owner.pk, "path": "folder/a.txt", "content": upload(b"12345")}
        assert browser.post(NEW_FILE, data).status_code == 302
        file = File.objects.get()
        assert (file.owner, file.path, file.size, file.content_type) == (
            owner,
            "folder/a.txt",
            5,
            "text/plain; charset=utf-8",
        )
        assert Path(file.content.path).name == "a.txt"

    @pytest.mark.parametrize("path", ["taken", "a//b", "a\x00b", ""])
    def test_a_path_that_cannot_be_saved_is_a_fault_of_the_form(
        self, browser: Client, path: str
    ) -> None:
        owner = FileFactory(path="taken").owner
        data = {"owner": owner.pk, "path": path, "content": upload(b"12345")}
        assert list(faults(browser.post(NEW_FILE, data))) == ["path"]
        assert File.objects.count() == 1

    def test_nothing_sent_is_told_for_each_field(self, browser: Client) -> None:
        assert list(faults(browser.post(NEW_FILE, {}))) == ["path", "content"]

    def test_a_storage_that_fails_is_told_on_the_page(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        # There is no server at this address.
        once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
        place = {"endpoint_url": "http://127.0.0.1:1", "bucket_name": "files"}
        keys = {"access_key": "key", "secret_key": "secret", "region_name": "eu-west-1"}
        storage = S3Storage(**place, **keys, client_config=once)
        monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
        data = {"owner": UserFactory().pk, "path": "a.bin", "content": upload(b"x")}
        answer = browser.post(NEW_FILE, data, follow=True)
        assert answer.redirect_chain == [(NEW_FILE, 302)]
        told = "The storage did not accept the file: The storage cannot be reached"
        assert told in messages_of(answer.content.decode())
        assert not File.objects.exists()
        assert caplog.messages[-1].startswith("The storage did not take an upload: The storage")
        assert "Traceback" not in caplog.text

    def test_the_content_is_replaced_by_upload(self, browser: Client) -> None:
        file = FileFactory(path="a.txt", data=b"old")
        data = {"owner": file.owner.pk, "path": "a.txt", "content_type": "text/x"}
        data["content"] = upload(b"newer")
        assert browser.post(page_of(file), data).status_code == 302
        fresh = File.objects.get()
        assert (fresh.size, fresh.content_type) == (5, "text/x; charset=utf-8")
        assert fresh.version != file.version

    def test_a_rename_without_upload_keeps_content_and_version(self, browser: Client) -> None:
        link = DirectLinkFactory(file__path="a.txt")
        file = link.file
        data = {"owner": file.owner.pk, "path": "b/c.txt", "content_type": file.content_type}
        assert browser.post(page_of(file), data).status_code == 302
        fresh = File.objects.get()
        assert (fresh.path, fresh.version, fresh.content.name) == (
            "b/c.txt",
            file.version,
            file.content.name,
        )
        assert DirectLink.objects.get().get_absolute_url() == link.get_absolute_url()

    @pytest.mark.parametrize("path", [" lead", "trail ", "in side", "ﬁle", "cafe\u0301"])
    def test_saving_without_a_change_changes_nothing(self, browser: Client, path: str) -> None:
        file = FileFactory(path=path)
        before = File.objects.values("path", "path_key", "version", "content").get()
        form = browser.get(page_of(file)).context["adminform"].form
        data = {name: form[name].value() for name in ("owner", "path", "content_type")}
        assert browser.post(page_of(file), data).status_code == 302
        assert File.objects.values("path", "path_key", "version", "content").get() == before

    def test_it_does_not_lead_to_the_storages_own_address(self, browser: Client) -> None:
        file = FileFactory()
        assert file.content.name not in browser.get(page_of(file)).content.decode()

    def test_a_trashed_file_can_be_renamed(self, browser: Client) -> None:
        file = FileFactory(path="a.txt")
        file.trash()
        FileFactory(owner=file.owner, path="a.txt")
        data = {"owner": file.owner.pk, "path": "b.txt", "content_type": file.content_type}
        assert browser.post(page_of(file), data).status_code == 302
        assert File.objects.trashed().get().path == "b.txt"


class TestTrash:
    def test_files_are_trashed_and_restored(self, browser: Client) -> None:
        files = FileFactory.create_batch(2)
        assert run(browser, FILES, "trash_files", files) == ["2 files were trashed."]
        assert not File.objects.live().exists()
        assert run(browser, FILES, "restore_files", files) == ["2 files were restored."]
        assert set(File.objects.live()) == set(files)

    def test_a_file_is_trashed_and_restored_on_its_page(self, browser: Client) -> None:
        file = FileFactory()
        for action, is_live in (("trash_files", False), ("restore_files", True)):
            answer = press(browser, page_of(file), action)
            assert answer.redirect_chain == [(page_of(file), 302)]
            assert File.objects.live().exists() is is_live

    @pytest.mark.parametrize("many", [False, True])
    def test_whoever_deletes_one_instead_is_told_what_that_means(
        self, browser: Client, many: bool
    ) -> None:
        file = DirectLinkFactory().file
        if many:
            data = {"action": "delete_selected", "_selected_action": file.pk}
            text = text_of(browser.post(FILES, data).content.decode())
        else:
            page = page_of(file).replace("change", "delete")
            text = text_of(browser.get(page).content.decode())
        assert "or move the file to the trash" in text
        assert "Direct links: 1" in text

    def test_who_may_only_look_is_not_offered_it(self, client: Client) -> None:
        html = staff(client, "view_file").get(page_of(FileFactory())).content.decode()
        assert "trash_files" not in html

    def test_what_is_done_already_is_not_counted(self, browser: Client) -> None:
        live, trashed = FileFactory(), FileFactory()
        trashed.trash()
        assert run(browser, FILES, "trash_files", [live, trashed]) == ["1 file was trashed."]
        trashed.restore()
        assert run(browser, FILES, "restore_files", [live, trashed]) == ["1 file was restored."]

    def test_a_taken_path_is_told_and_the_others_are_restored(self, browser: Client) -> None:
        file = FileFactory(path="a.txt")
        file.trash()
        taker = FileFactory(owner=file.owner, path="a.txt")
        other = FileFactory()
        other.trash()
        fault, restored = run(browser, FILES, "restore_files", [file, other])
        assert "Another file is at this path." in fault
        assert "a.txt" in fault
        assert restored == "1 file was restored."
        assert set(File.objects.live()) == {taker, other}


class TestCreatingLinks:
    def test_the_message_holds_whole_addresses(self, browser: Client, superuser: Any) -> None:
        file = FileFactory(path="folder/a b&c.txt")
        (message,) = run(browser, FILES, "create_links", [file])
        link = DirectLink.objects.get()
        assert (link.file, link.created_by, link.reuse_name) == (file, superuser, "a b&c.txt")
        address = f"http://testserver/f/{link.code}/a%20b&amp;c.txt"
        assert message == (f'1 direct link is ready:<br><a href="{address}">{address}</a>')

    def test_a_base_url_begins_them(self, browser: Client, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": "https://files.example.org"}
        (message,) = run(browser, FILES, "create_links", [FileFactory()])
        assert 'href="https://files.example.org/f/' in message

    def test_asking_again_shows_the_same(self, browser: Client) -> None:
        file = FileFactory()
        first = run(browser, FILES, "create_links", [file])
        assert run(browser, FILES, "create_links", [file]) == first

    def test_many_addresses_are_cut_short(self, browser: Client) -> None:
        (message,) = run(browser, FILES, "create_links", FileFactory.create_batch(12))
        assert message.startswith("12 direct links are ready:")
        assert message.count("<a href") == 10
        assert message.endswith("<br>…")

    @pytest.mark.parametrize(
        "lose", [File.trash, lambda file: file.content.storage.delete(file.content.name)]
    )
    def test_a_file_that_cannot_have_one_is_told(
        self, browser: Client, lose: Callable[[File], None]
    ) -> None:
        good, lost = FileFactory(), FileFactory()
        lose(lost)
        ready, skipped = run(browser, FILES, "create_links", [good, lost])
        assert ready.startswith("1 direct link is ready:")
        assert skipped == "1 file has no link: it is in the trash or its content is missing."
        assert DirectLink.objects.get().file == good

    def test_where_none_can_have_one_that_is_all_that_is_said(self, browser: Client) -> None:
        files = FileFactory.create_batch(2, content="")
        assert run(browser, FILES, "create_links", files) == [
            "2 files have no link: they are in the trash or their contents are missing."
        ]


class TestPermissions:
    def test_staff_without_any_see_nothing(self, client: Client) -> None:
        file = FileFactory()
        browser = staff(client)
        for page in (FILES, NEW_FILE, page_of(file)):
            assert browser.get(page).status_code == 403

    def test_who_is_not_staff_is_asked_to_log_in(self, client: Client) -> None:
        client.force_login(UserFactory())
        assert client.get(FILES).status_code == 302

    @pytest.mark.parametrize(
        ("permissions", "offered"),
        [
            ([], set()),
            (["add_file"], set()),
            (["add_directlink"], {"create_links"}),
            (["change_file"], {"trash_files", "restore_files"}),
            (["delete_file"], {"delete_selected"}),
        ],
    )
    def test_actions_are_offered_to_who_may(
        self, client: Client, permissions: list[str], offered: set[str]
    ) -> None:
        FileFactory()
        assert actions(staff(client, "view_file", *permissions), FILES) == {"check_bytes", *offered}

    @pytest.mark.parametrize("action", ["create_links", "trash_files", "delete_selected"])
    def test_an_action_that_is_not_offered_does_nothing(self, client: Client, action: str) -> None:
        file = FileFactory()
        run(staff(client, "view_file"), FILES, action, [file])
        assert File.objects.live().get() == file
        assert not DirectLink.objects.exists()

    def test_what_the_policy_hides_is_not_there(self, browser: Client, settings: Settings) -> None:
        shown, hidden = FileFactory(path="a"), FileFactory(path="secret/a")
        settings.DIRECTLINKS = {"POLICY": f"{__name__}.HidesSecrets"}
        assert listed(browser, FILES) == {shown}
        assert browser.get(page_of(shown)).status_code == 200
        # The admin's way of saying that there is no such row.
        assert browser.get(page_of(hidden)).status_code == 302
        run(browser, FILES, "trash_files", [shown, hidden])
        run(browser, FILES, "create_links", [hidden])
        assert File.objects.live().get() == hidden
        assert not DirectLink.objects.exists()

    def test_a_policy_may_find_a_file_twice(
        self, browser: Client, superuser: Any, settings: Settings
    ) -> None:
        file = FileFactory()
        for name in ("editors", "press"):
            group = Group.objects.create(name=name)
            superuser.groups.add(group)
            file.owner.groups.add(group)
        settings.DIRECTLINKS = {"POLICY": f"{__name__}.SharesGroups"}
        assert list(browser.get(FILES).context["cl"].result_list) == [file]
        assert browser.get(page_of(file)).status_code == 200


class TestWhatOthersOwn:
    """The form puts nothing where the policy would not let its user manage it."""

    @pytest.fixture(autouse=True)
    def _own_files_only(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.OwnFilesOnly"}

    def test_a_file_cannot_be_put_into_a_space_of_somebody_else(self, browser: Client) -> None:
        theirs = FileFactory(path="a.txt")
        form = {"owner": theirs.owner.pk, "path": "a.txt", "content": upload(b"x")}
        assert listed(browser, FILES) == set()
        # Nothing is said of the path, which is taken.
        assert faults(browser.post(NEW_FILE, form)) == {
            "owner": ["You do not have permission to manage files of this user."]
        }

    def test_it_can_be_put_into_the_users_own(self, browser: Client, superuser: Any) -> None:
        browser.post(NEW_FILE, {"owner": superuser.pk, "path": "a.txt", "content": upload(b"x")})
        assert File.objects.get().owner == superuser

    def test_a_form_with_an_unknown_owner_is_about_that(self, browser: Client) -> None:
        form = {"owner": "123456", "path": "a.txt", "content": upload(b"x")}
        assert list(faults(browser.post(NEW_FILE, form))) == ["owner"]


class OwnFilesOnly(OwnerOrAdmin):
    def allows(self, user: Any, file: File) -> bool:
        return super().allows(user, file) and file.owner_id == user.pk

    def filter(self, user: Any, queryset: FileQuerySet) -> FileQuerySet:
        own: FileQuerySet = super().filter(user, queryset).filter(owner=user.pk)
        return own


def test_who_may_only_look_is_not_shown_the_storages_own_address(client: Client) -> None:
    file = FileFactory()
    html = staff(client, "view_file").get(page_of(file)).content.decode()
    assert file.path in html
    assert file.content.name not in html


def test_the_storages_own_name_cannot_be_filtered_by(client: Client) -> None:
    file, browser = FileFactory(), staff(client, "view_file")
    for name in (file.content.name[:13], "elsewhere"):
        assert browser.get(FILES, {"content__startswith": name}).status_code == 400


def test_the_form_writes_only_what_it_changed(browser: Client, monkeypatch: Any) -> None:
    file = FileFactory(path="a.txt")
    get_object = FileAdmin.get_object

    def read_early(*args: Any) -> Any:
        found = get_object(*args)
        # Somebody else replaces the content while the form is looked at.
        File.objects.filter(pk=file.pk).update(version="of somebody else")
        return found

    monkeypatch.setattr(FileAdmin, "get_object", read_early)
    form = {"owner": file.owner.pk, "path": "b.txt", "content_type": "text/plain"}
    assert browser.post(page_of(file), form).status_code == 302
    stored = File.objects.get()
    assert (stored.path, stored.version) == ("b.txt", "of somebody else")


def test_where_links_are_switched_off_the_admin_creates_none(
    browser: Client, settings: Settings
) -> None:
    FileFactory()
    settings.DIRECTLINKS = {"BATCH_SIZE": 0}
    assert "create_links" not in actions(browser, FILES)


class TestLinksOfAFile:
    def test_its_page_shows_its_links_and_leads_to_them(self, browser: Client) -> None:
        file = FileFactory()
        link = DirectLinkFactory(file=file, label="For the press", paused=True)
        other = DirectLinkFactory()
        html = browser.get(page_of(file)).content.decode()
        assert page_of(link) in html
        assert page_of(other) not in html
        for shown in ("For the press", "dl-paused", link.get_absolute_url()):
            assert shown in html
        assert f"{LINKS}?file__id__exact={file.pk}" in html

    def test_a_file_without_links_says_so(self, browser: Client) -> None:
        html = browser.get(page_of(FileFactory())).content.decode()
        assert "This file has no links." in html

    def test_its_statements_do_not_grow_with_its_links(self, browser: Client) -> None:
        file = FileFactory()

        def count() -> int:
            with CaptureQueriesContext(connection) as captured:
                browser.get(page_of(file))
            return len(captured)

        DirectLinkFactory(file=file)
        count()  # once more than is looked up for good
        few = count()
        DirectLinkFactory.create_batch(9, file=file)
        assert count() == few

    def test_who_may_not_see_links_sees_none(self, client: Client) -> None:
        link = DirectLinkFactory()
        html = staff(client, "view_file").get(page_of(link.file)).content.decode()
        assert link.code not in html
        assert "Direct links</h2>" not in html

    def test_a_button_creates_the_link_that_everybody_gets(self, browser: Client) -> None:
        file = FileFactory()
        for _ in range(2):
            answer = browser.post(create_link(file), follow=True)
            assert messages_of(answer.content.decode()).count("The direct link is ready.") == 1
        link = DirectLink.objects.get()
        assert answer.redirect_chain == [(page_of(link), 302)]
        assert (link.file, link.reuse_name) == (file, file.name)

    def test_another_button_creates_one_of_its_own(self, browser: Client, superuser: Any) -> None:
        file = FileFactory()
        for _ in range(2):
            browser.post(create_link(file), {"dedicated": "1"})
        links = DirectLink.objects.all()
        assert [(link.file, link.reuse_name, link.created_by) for link in links] == [
            (file, None, superuser)
        ] * 2

    def test_a_site_that_limits_all_links_limits_these(
        self, browser: Client, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"DEFAULT_LIFE": 3600}
        browser.post(create_link(FileFactory()))
        assert DirectLink.objects.get().expires_at is not None

    @pytest.mark.parametrize("lacking", ["bytes", "life"])
    def test_what_visitors_could_not_open_gets_none(self, browser: Client, lacking: str) -> None:
        file = FileFactory()
        if lacking == "life":
            file.trash()
        else:
            Path(file.content.path).unlink()
        answer = browser.post(create_link(file), follow=True)
        assert answer.redirect_chain == [(page_of(file), 302)]
        assert "1 file has no link" in messages_of(answer.content.decode())
        assert not DirectLink.objects.exists()

    def test_links_are_created_by_post_and_by_who_may(self, client: Client) -> None:
        file = FileFactory()
        assert staff(client, "view_file", "change_file").post(create_link(file)).status_code == 403
        assert staff(client, "add_directlink").post(create_link(file)).status_code == 403
        browser = staff(client, "view_file", "add_directlink")
        assert browser.get(create_link(file)).status_code == 404
        assert create_link(file) in browser.get(page_of(file)).content.decode()
        assert browser.post(create_link(file)).status_code == 302

    def test_what_the_policy_hides_gets_no_link(self, browser: Client, settings: Settings) -> None:
        file = FileFactory(path="secret/a")
        settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.HidesSecrets"}
        assert browser.post(create_link(file)).status_code == 404


class TestBytes:
    def test_the_page_says_that_they_are_missing(self, browser: Client) -> None:
        file = FileFactory()
        told = "The content of this file is missing"
        assert told not in browser.get(page_of(file)).content.decode()
        Path(file.content.path).unlink()
        assert told in browser.get(page_of(file)).content.decode()

    def test_an_action_looks_at_those_that_are_selected(self, browser: Client) -> None:
        files = FileFactory.create_batch(12)
        assert run(browser, FILES, "check_bytes", files) == ["12 files were checked."]
        for file in files[1:]:
            Path(file.content.path).unlink()
        looked, lacking = run(browser, FILES, "check_bytes", files)
        assert looked == "12 files were checked."
        assert lacking.startswith("The contents of 11 files are missing: ")
        assert lacking.endswith(", …")
        assert run(browser, FILES, "check_bytes", files[:2])[1] == (
            f"The content of 1 file is missing: {files[1].path}"
        )


def create_link(file: File) -> str:
    return reverse("admin:directlinks_file_create_link", args=[file.pk])
