"""Where a visitor is sent when the bytes are on another machine."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks.datetimes import in_utc
from directlinks.delivery import presigning
from directlinks.delivery.backends.storage_url import StorageURLBackend
from directlinks.delivery.presigning import Target, Wish
from directlinks.models import DirectLink, File
from tests.delivery.buckets import SigningBucket, place_and_key, sign
from tests.delivery.downloads import delivery, download
from tests.factories import DirectLinkFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

NOON = "2026-11-23T12:00:00Z"
LATE_IN_A_SECOND = datetime(2026, 11, 23, 12, 0, 0, 900_000, tzinfo=UTC)


def visit(link: DirectLink, method: str = "GET", prefix: str = "/f/") -> Any:
    return Client().generic(method, link.get_absolute_url().replace("/f/", prefix, 1))


def target_of(link: DirectLink, method: str = "GET", prefix: str = "/f/") -> str:
    location: str = visit(link, method, prefix).headers["Location"]
    return location


class TestItsOwnURL:
    def test_the_visitor_is_sent_there(self, bucket: Bucket) -> None:
        link = DirectLinkFactory()
        assert visit(link).status_code == 302
        assert target_of(link) == bucket.url(link.file.content.name)
        assert target_of(link).startswith("https://bucket.example/files/")

    def test_a_url_that_is_not_ascii_is_quoted(self, bucket: Bucket) -> None:
        bucket.base_url = "https://bucket.example/新/"
        link = DirectLinkFactory()
        expected = f"https://bucket.example/%E6%96%B0/{link.file.content.name}"
        assert target_of(link) == expected

    def test_a_url_of_unknown_life_is_asked_for_anew_each_time(self, bucket: Bucket) -> None:
        link = DirectLinkFactory()
        first = target_of(link)
        bucket.base_url = "https://bucket.example/signed-again/"
        assert first != target_of(link) == bucket.url(link.file.content.name)

    def test_an_uncounted_look_at_an_unlimited_link_is_sent_there_too(self, bucket: Bucket) -> None:
        link = DirectLinkFactory()
        assert target_of(link, "HEAD") == bucket.url(link.file.content.name)

    @pytest.mark.usefixtures("bucket")
    def test_a_head_of_a_limited_link_gets_no_url_that_would_give_bytes(self) -> None:
        link = DirectLinkFactory(max_downloads=1)
        response = visit(link, "HEAD")
        assert response.status_code == 503
        assert "Location" not in response.headers
        assert response.headers["Cache-Control"] == "private, no-store"
        assert visit(link).status_code == 302


@pytest.mark.usefixtures("signing_bucket")
class TestSharedTarget:
    def test_a_thousand_visits_sign_once(self, signing_bucket: SigningBucket) -> None:
        backend, request = StorageURLBackend(signing_bucket), RequestFactory().get("/")
        with time_machine.travel(NOON, tick=False):
            locations = {
                backend.deliver(request, download(link=visitor), timezone.now()).headers["Location"]
                for visitor in range(1000)
            }
        (location,) = locations
        assert location.endswith("?signature=1")
        assert len(signing_bucket.wishes) == 1

    def test_a_wish_is_for_the_links_name_and_type(self, signing_bucket: SigningBucket) -> None:
        visit(DirectLinkFactory(file__path="folder/a.txt"))
        assert signing_bucket.wishes == [
            Wish(
                content_type="text/plain; charset=utf-8",
                disposition='inline; filename="a.txt"',
                seconds=600,
                head_only=False,
                content_encoding=None,
            )
        ]

    @pytest.mark.parametrize(
        ("stored", "encoding"),
        [("old/a.tar.gz", "identity"), ("old/a.svgz", "identity"), ("old/a.svg", None)],
    )
    def test_a_wish_for_what_is_named_as_encoded_is_for_the_bytes_as_they_are(
        self, stored: str, encoding: str | None, signing_bucket: SigningBucket
    ) -> None:
        backend = StorageURLBackend(signing_bucket)
        backend.deliver(RequestFactory().get("/"), download(stored=stored), timezone.now())
        assert [wish.content_encoding for wish in signing_bucket.wishes] == [encoding]

    def test_it_is_signed_anew_before_its_life_ends(self) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            link = DirectLinkFactory()
            first = target_of(link)
            clock.shift(539)
            assert target_of(link) == first
            clock.shift(2)
            assert target_of(link) != first

    @pytest.mark.parametrize("seconds", [1, 2, 9, 10, 15, 600])
    def test_it_is_not_handed_out_in_the_last_tenth(self, seconds: int, settings: Settings) -> None:
        settings.DIRECTLINKS = {"TARGET_SECONDS": seconds}
        with time_machine.travel(NOON, tick=False) as clock:
            link = DirectLinkFactory()
            first = target_of(link)
            clock.shift(seconds * 0.95)
            assert target_of(link) != first

    def test_a_presigner_may_give_less_time_than_was_wished(
        self, signing_bucket: SigningBucket
    ) -> None:
        signed: list[str] = []

        def hasty(bucket: SigningBucket, name: str, wish: Wish) -> Target:
            signed.append(name)
            return Target(f"{bucket.url(name)}?{len(signed)}", 100)

        presigning.register("tests.delivery.buckets.SigningBucket", hasty, place_and_key)
        with time_machine.travel(NOON, tick=False) as clock:
            link = DirectLinkFactory()
            first = target_of(link)
            clock.shift(89)
            assert target_of(link) == first
            clock.shift(2)
            assert target_of(link) != first

    def test_visitors_of_another_link_to_the_same_file_get_it_too(self) -> None:
        link = DirectLinkFactory()
        other = DirectLinkFactory(file=link.file, max_downloads=5)
        assert target_of(other) == target_of(link)

    def test_replaced_content_has_another(self) -> None:
        link = DirectLinkFactory()
        first = target_of(link)
        link.file.content = ContentFile(b"other bytes", name="upload")
        link.file.save()
        assert target_of(link) != first

    def test_content_replaced_under_the_same_name_has_another(
        self, signing_bucket: SigningBucket
    ) -> None:
        backend, request = StorageURLBackend(signing_bucket), RequestFactory().get("/")
        now = timezone.now()
        backend.deliver(request, download(version="v1"), now)
        backend.deliver(request, download(version="v2"), now)
        assert len(signing_bucket.wishes) == 2

    def test_saving_and_showing_are_two(self) -> None:
        link = DirectLinkFactory()
        assert target_of(link, prefix="/f/d/") != target_of(link)

    def test_another_type_has_another(self, signing_bucket: SigningBucket) -> None:
        link = DirectLinkFactory(file__content_type="image/png")
        first = target_of(link)
        link.file.content_type = "text/html"
        link.file.save()
        assert target_of(link) != first
        assert signing_bucket.wishes[-1].disposition.startswith("attachment")

    def test_another_life_is_another(self, settings: Settings) -> None:
        link = DirectLinkFactory()
        first = target_of(link)
        settings.DIRECTLINKS = {"TARGET_SECONDS": 60}
        assert target_of(link) != first

    def test_another_storage_has_another(self, settings: Settings) -> None:
        link = DirectLinkFactory()
        first = target_of(link)
        settings.STORAGES = {**settings.STORAGES, "directlinks": settings.STORAGES["default"]}
        assert target_of(link) != first

    @pytest.mark.parametrize(
        ("attribute", "value"), [("base_url", "https://other.example/"), ("key", "rotated")]
    )
    def test_another_place_or_key_has_another(
        self, attribute: str, value: str, signing_bucket: SigningBucket
    ) -> None:
        link = DirectLinkFactory()
        first = target_of(link)
        before = getattr(signing_bucket, attribute)
        setattr(signing_bucket, attribute, value)
        assert target_of(link) != first
        # As with tenants, whose buckets are behind one alias.
        setattr(signing_bucket, attribute, before)
        assert target_of(link) == first

    def test_a_presigner_without_identity_signs_for_each_visit(
        self, signing_bucket: SigningBucket
    ) -> None:
        presigning.register("tests.delivery.buckets.SigningBucket", sign)
        link = DirectLinkFactory()
        assert target_of(link) != target_of(link)
        assert len(signing_bucket.wishes) == 2

    def test_what_is_remembered_tells_no_secret(self) -> None:
        cache.clear()
        StorageURLBackend(s3()).deliver(RequestFactory().get("/"), download(), timezone.now())
        (known,) = cache._cache.items()  # type: ignore[attr-defined]  # those of LocMemCache
        assert re.fullmatch(r":1:directlinks\.target\.[0-9a-f]{64}", known[0])
        assert b"secret" not in known[1]

    def test_a_head_has_the_same_one(self, signing_bucket: SigningBucket) -> None:
        link = DirectLinkFactory()
        assert target_of(link, "HEAD") == target_of(link)
        assert [wish.head_only for wish in signing_bucket.wishes] == [False]

    def test_a_head_is_answered_at_once_if_the_storage_would_refuse_it(
        self, signing_bucket: SigningBucket
    ) -> None:
        signing_bucket.get_only = True
        link = DirectLinkFactory(file__path="a.pdf")
        answer = visit(link, "HEAD")
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == "10"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-Type"] == "application/pdf"
        assert {"ETag", "Last-Modified", "Location"}.isdisjoint(answer.headers)
        assert visit(link).status_code == 302

    def test_a_head_of_a_limited_link_has_one_of_its_own(
        self, signing_bucket: SigningBucket
    ) -> None:
        visit(DirectLinkFactory(max_downloads=1), "HEAD")
        assert [wish.head_only for wish in signing_bucket.wishes] == [True]

    def test_a_head_of_a_limited_link_is_sent_where_only_a_head_works(self) -> None:
        link = DirectLinkFactory(max_downloads=1)
        assert visit(link, "HEAD").status_code == 302
        link.refresh_from_db()
        assert link.downloads == 0

    def test_a_revoked_link_leads_nowhere_although_a_target_is_known(self) -> None:
        link = DirectLinkFactory()
        visit(link)
        DirectLink.objects.filter(pk=link.pk).revoke(timezone.now())
        assert visit(link).status_code == 404


def test_a_storage_that_cannot_sign_is_told_without_counting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link = DirectLinkFactory()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file")
    storage = S3Storage(bucket_name="files", region_name="eu-west-1", signature_version="s3v4")
    monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
    answer = visit(link)
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "60")
    assert answer.json()["code"] == 502
    link.refresh_from_db()
    assert link.downloads == 0
    (line,) = caplog.messages
    assert "(NoCredentialsError)" in line


class TestLinksThatEndSooner:
    def test_they_get_a_shorter_target_that_is_not_shared(
        self, signing_bucket: SigningBucket
    ) -> None:
        with time_machine.travel(NOON, tick=False):
            link = DirectLinkFactory(expires_at=timezone.now() + timedelta(seconds=90.5))
            assert target_of(link) != target_of(link)
        assert [wish.seconds for wish in signing_bucket.wishes] == [90, 90]

    def test_they_never_get_what_was_signed_for_others(self) -> None:
        with time_machine.travel(NOON, tick=False):
            link = DirectLinkFactory()
            first = target_of(link)
            ending = DirectLinkFactory(
                file=link.file, expires_at=timezone.now() + timedelta(seconds=90)
            )
            assert target_of(ending) != first
            assert target_of(link) == first

    def test_a_signature_lasts_a_second_at_least(self, signing_bucket: SigningBucket) -> None:
        with time_machine.travel(NOON, tick=False):
            visit(DirectLinkFactory(expires_at=timezone.now() + timedelta(milliseconds=5)))
        assert [wish.seconds for wish in signing_bucket.wishes] == [1]

    def test_one_that_ends_later_shares_the_target_of_all(
        self, signing_bucket: SigningBucket
    ) -> None:
        with time_machine.travel(NOON, tick=False):
            link = DirectLinkFactory(expires_at=timezone.now() + timedelta(seconds=601))
            assert target_of(link) == target_of(link)
        assert [wish.seconds for wish in signing_bucket.wishes] == [600]


class TestKeptRedirects:
    def test_one_to_a_shared_target_is_kept_for_what_is_left_of_it(
        self, signing_bucket: SigningBucket, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"REDIRECT_MAX_AGE": 3600}
        with time_machine.travel(NOON, tick=False) as clock:
            link = DirectLinkFactory()
            assert visit(link).headers["Cache-Control"] == "public, max-age=600"
            clock.shift(500)
            assert visit(link).headers["Cache-Control"] == "public, max-age=100"
        assert len(signing_bucket.wishes) == 1

    def test_one_that_a_process_remembers_leaves_time_to_follow_it(
        self, signing_bucket: SigningBucket, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"CACHE_SECONDS": 60}
        with time_machine.travel(NOON, tick=False) as clock:
            visit(DirectLinkFactory())
            # A tenth of its 600 seconds to follow it, and before that one to remember it.
            clock.shift(479)
            visit(DirectLinkFactory(file=File.objects.get()))
            assert len(signing_bucket.wishes) == 1
            clock.shift(2)
            visit(DirectLinkFactory(file=File.objects.get()))
            assert len(signing_bucket.wishes) == 2

    def test_none_leads_to_a_signature_that_has_ended(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"REDIRECT_MAX_AGE": 3600}
        backend = StorageURLBackend(s3())
        # Signatures count from a full second, which is 0.9 seconds ago.
        with time_machine.travel(LATE_IN_A_SECOND.timestamp(), tick=False):
            now = timezone.now()
            response = backend.deliver(RequestFactory().get("/"), download(), now)
        query = parse_qs(urlsplit(response.headers["Location"]).query)
        signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        expires_at_seconds = signed_at + timedelta(seconds=int(query["X-Amz-Expires"][0]))
        kept = int(response.headers["Cache-Control"].removeprefix("public, max-age="))
        assert in_utc(now) + timedelta(seconds=kept) <= expires_at_seconds

    @pytest.mark.usefixtures("bucket")
    def test_one_to_a_lasting_url_is_kept_as_long_as_the_site_says(
        self, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"REDIRECT_MAX_AGE": 3600}
        assert visit(DirectLinkFactory()).headers["Cache-Control"] == "public, max-age=3600"


def s3(**more: Any) -> Any:
    options = {"access_key": "key", "secret_key": "secret", "bucket_name": "files"}
    return S3Storage(**{**options, "signature_version": "s3v4", "region_name": "eu-west-1", **more})


class TestPublicEndpoint:
    INSIDE = "http://minio.internal:9000"

    def test_visitors_are_sent_there_and_the_site_stays_inside(self) -> None:
        storage = s3(endpoint_url=self.INSIDE, addressing_style="path")
        backend = StorageURLBackend(storage, public_endpoint="https://files.example.org")
        request = RequestFactory().get("/")
        with time_machine.travel(NOON, tick=False):
            inside = StorageURLBackend(storage).deliver(request, download(), timezone.now())
            outside = backend.deliver(request, download(), timezone.now())
        assert outside.headers["Location"].startswith("https://files.example.org/files/")
        # What is remembered for one is not handed out by the other.
        assert inside.headers["Location"].startswith(f"{self.INSIDE}/files/")
        assert storage.connection.meta.client.meta.endpoint_url == self.INSIDE
        assert backend.check() == []

    @pytest.mark.parametrize(
        "endpoint",
        [
            "files.example.org",
            "ftp://files.example.org",
            "https://",
            "https://files.example.org:port",
            "https://user:secret@files.example.org",
            "https://files.example.org/bucket",
            "https://files.example.org?a=b",
            "https://files.example.org#a",
            "https://files example.org",
            "https://[files",
            443,
        ],
    )
    def test_what_is_no_address_is_reported(self, endpoint: Any) -> None:
        (fault,) = StorageURLBackend(s3(), public_endpoint=endpoint).check()
        assert fault.id == "directlinks.E042"

    @pytest.mark.parametrize(
        "storage",
        [Bucket(), s3(custom_domain="cdn.example.org"), FileSystemStorage()],
        ids=lambda storage: type(storage).__name__,
    )
    def test_a_storage_that_does_not_sign_for_it_is_reported(self, storage: Any) -> None:
        (fault,) = StorageURLBackend(storage, "https://files.example.org/").check()
        assert fault.id == "directlinks.E043"


class TestStrangeTargets:
    @pytest.mark.parametrize(
        "base_url",
        [
            "//evil.example/",
            "javascript:alert(1)//",
            "data:text/html,",
            "ftp://bucket/",
            "/media/",
            "https:///bucket.example/",
            "https://[bucket/",
            "https://bucket.example/\r\nSet-Cookie: a=b/",
        ],
    )
    def test_what_is_no_http_address_is_never_emitted(
        self, base_url: str, bucket: Bucket, caplog: pytest.LogCaptureFixture
    ) -> None:
        bucket.base_url = base_url
        link = DirectLinkFactory()
        response = visit(link)
        assert response.status_code == 404
        assert "Location" not in response.headers
        assert f"Refused to redirect link {link.pk}" in caplog.text
        link.refresh_from_db()
        assert link.downloads == 0

    @pytest.mark.parametrize(
        ("hosts", "status"),
        [
            (["bucket.example"], 302),
            (["x.example", "bucket.example"], 302),
            (["Bucket.Example"], 302),
            (["x.example"], 404),
            (["example"], 404),
            ([], 404),
        ],
    )
    @pytest.mark.usefixtures("bucket")
    def test_redirect_hosts_are_a_closed_list(
        self, hosts: list[str], status: int, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"REDIRECT_HOSTS": hosts}
        assert visit(DirectLinkFactory()).status_code == status

    def test_a_user_part_does_not_stand_in_for_the_host(
        self, bucket: Bucket, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"REDIRECT_HOSTS": ["bucket.example"]}
        bucket.base_url = "https://bucket.example@evil.example/"
        assert visit(DirectLinkFactory()).status_code == 404


class TestTheSitesOwnHost:
    """It would show a document that can act, in the name of the site."""

    @pytest.mark.parametrize(
        "base_url",
        [
            "http://testserver/media/",
            "http://TestServer/media/",
            "http://testserver:80/media/",
            "https://testserver/media/",
            "http://user@testserver/media/",
        ],
    )
    @pytest.mark.parametrize("name", ["a.svg", "a.html"])
    def test_an_active_type_there_is_refused(
        self, base_url: str, name: str, bucket: Bucket, caplog: pytest.LogCaptureFixture
    ) -> None:
        bucket.base_url = base_url
        assert visit(DirectLinkFactory(file__path=name)).status_code == 404
        assert "the site's own host" in caplog.text

    def test_a_passive_type_there_is_allowed(self, bucket: Bucket) -> None:
        bucket.base_url = "http://testserver/media/"
        link = DirectLinkFactory(file__path="a.png")
        assert target_of(link) == bucket.url(link.file.content.name)

    def test_a_passive_type_that_is_to_be_saved_is_refused(self, bucket: Bucket) -> None:
        bucket.base_url = "http://testserver/media/"
        link = DirectLinkFactory(file__path="a.png")
        assert visit(link, prefix="/f/d/").status_code == 404

    def test_an_active_type_elsewhere_is_allowed(self, bucket: Bucket) -> None:
        link = DirectLinkFactory(file__path="a.svg")
        assert target_of(link) == bucket.url(link.file.content.name)

    def test_an_active_type_that_is_made_an_attachment_is_allowed(
        self, signing_bucket: SigningBucket
    ) -> None:
        signing_bucket.base_url = "http://testserver/media/"
        assert visit(DirectLinkFactory(file__path="a.svg")).status_code == 302

    def test_a_media_host_of_its_own_does_not_show_it_either(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.DIRECTLINKS = delivery("storage_url.StorageURLBackend")
        storage = FileSystemStorage(base_url="https://media.example.org/")
        monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
        assert visit(DirectLinkFactory(file__path="a.png")).status_code == 302
        assert visit(DirectLinkFactory(file__path="a.svg")).status_code == 404
