"""The URLs that the storages of django-storages really sign, one parameter after the other.

Signing needs no network, only keys, and these are made up.
"""

from base64 import b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine
from azure.core.credentials import AzureSasCredential
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.files.storage import FileSystemStorage, Storage
from google.oauth2.service_account import Credentials
from storages.backends.azure_storage import AzureStorage  # type: ignore[import-untyped]  # has no types
from storages.backends.gcloud import GoogleCloudStorage  # type: ignore[import-untyped]  # has no types
from storages.backends.s3 import S3StaticStorage, S3Storage  # type: ignore[import-untyped]  # has no types

from directlinks.delivery.headers import disposition
from directlinks.delivery.presigning import (
    Target,
    Wish,
    identity_of,
    register,
    target_of,
)
from tests.storages import Bucket

NAME = "directlinks/x/a b.png"
NOON = "2026-11-23T12:00:00Z"
WISH = Wish(
    content_type="image/png",
    disposition='inline; filename="a b.png"',
    seconds=90,
    head_only=False,
)
HEAD = Wish(WISH.content_type, WISH.disposition, WISH.seconds, head_only=True)
AS_IT_IS = replace(WISH, content_encoding="identity")

# django-storages asks for the time in a way that Python 3.12 speaks against.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def s3(kind: type[Any] = S3Storage, **options: Any) -> Any:
    keys = {"access_key": "key", "secret_key": "secret", "bucket_name": "files"}
    given = {**keys, "signature_version": "s3v4", "region_name": "eu-west-1"}
    return kind(**{**given, **options})


@pytest.fixture
def google(private_key: str) -> Any:
    def storage(key_id: str = "first", **options: Any) -> Any:
        account = {
            "client_email": "links@project.example",
            "private_key": private_key,
            "private_key_id": key_id,
            "token_uri": "https://oauth2.example/token",
        }
        credentials = Credentials.from_service_account_info(account)  # type: ignore[no-untyped-call]  # google-auth has no types
        given = {"bucket_name": "files", "project_id": "project", "credentials": credentials}
        return GoogleCloudStorage(**{**given, **options})

    return storage


def azure(**options: Any) -> Any:
    key = b64encode(b"secret").decode()
    given = {"account_name": "me", "account_key": key, "azure_container": "files"}
    return AzureStorage(**{**given, **options})


def signed(storage: Storage, wish: Wish = WISH) -> Target:
    """The target of NAME, signed at noon."""
    with time_machine.travel(NOON, tick=False):
        return target_of(storage, NAME, wish)


def query(target: Target) -> dict[str, str]:
    """The parameters of its URL, each of which stands there once."""
    given = parse_qs(urlsplit(target.url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in given.values())
    return {name: values[0] for name, values in given.items()}


def place(target: Target) -> str:
    parts = urlsplit(target.url)
    return f"{parts.scheme}://{parts.netloc}{unquote(parts.path)}"


class TestS3:
    def test_it_signs_what_was_wished(self) -> None:
        target = signed(s3())
        assert (target.seconds, target.overrides, target.head_only) == (90, True, False)
        assert place(target) == f"https://files.s3.amazonaws.com/{NAME}"
        parameters = query(target)
        assert len(parameters.pop("X-Amz-Signature")) == 64
        assert parameters == {
            "response-content-disposition": 'inline; filename="a b.png"',
            "response-content-type": "image/png",
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": "key/20261123/eu-west-1/s3/aws4_request",
            "X-Amz-Date": "20261123T120000Z",
            "X-Amz-Expires": "90",
            "X-Amz-SignedHeaders": "host",
        }

    def test_a_signature_for_head_is_another(self) -> None:
        for_get, for_head = signed(s3()), signed(s3(), HEAD)
        assert (for_head.head_only, for_head.get_only) == (True, False)
        assert (for_get.head_only, for_get.get_only) == (False, True)
        assert query(for_head).pop("X-Amz-Signature") != query(for_get).pop("X-Amz-Signature")

    @pytest.mark.parametrize("custom_domain", [None, "cdn.example.org"])
    def test_without_signatures_it_is_left_alone(self, custom_domain: str | None) -> None:
        storage = s3(querystring_auth=False, custom_domain=custom_domain)
        assert signed(storage) == Target(storage.url(NAME))
        assert urlsplit(storage.url(NAME)).query == ""

    def test_a_domain_of_ones_own_that_nobody_signs_for_is_left_alone(self) -> None:
        target = signed(s3(custom_domain="cdn.example.org"), HEAD)
        assert target == Target("https://cdn.example.org/directlinks/x/a%20b.png")

    @pytest.mark.parametrize("wish", [WISH, HEAD])
    def test_behind_cloudfront_parameters_are_spelt_as_s3_reads_them(
        self, wish: Wish, private_key: str
    ) -> None:
        storage = s3(
            custom_domain="cdn.example.org",
            cloudfront_key_id="K1",
            cloudfront_key=private_key.encode(),
        )
        target = signed(storage, wish)
        # CloudFront's signature does not tell a HEAD from a GET.
        assert (target.seconds, target.overrides, target.head_only) == (90, True, False)
        assert place(target) == f"https://cdn.example.org/{NAME}"
        parameters = query(target)
        assert parameters.pop("Signature")
        assert parameters == {
            "response-content-disposition": 'inline; filename="a b.png"',
            "response-content-type": "image/png",
            "Expires": "1795435290",
            "Key-Pair-Id": "K1",
        }

    def test_cloudfront_keys_without_signatures_sign_nothing(self, private_key: str) -> None:
        storage = s3(
            custom_domain="cdn.example.org",
            querystring_auth=False,
            cloudfront_key_id="K1",
            cloudfront_key=private_key.encode(),
        )
        assert signed(storage) == Target("https://cdn.example.org/directlinks/x/a%20b.png")


class TestGoogle:
    @pytest.mark.parametrize(("wish", "head_only"), [(WISH, False), (HEAD, True)])
    def test_it_signs_what_was_wished(self, wish: Wish, head_only: bool, google: Any) -> None:
        target = signed(google(), wish)
        assert (target.seconds, target.overrides, target.head_only) == (90, True, head_only)
        assert place(target) == f"https://storage.googleapis.com/files/{NAME}"
        parameters = query(target)
        assert parameters.pop("X-Goog-Signature")
        assert parameters == {
            "response-content-disposition": 'inline; filename="a b.png"',
            "response-content-type": "image/png",
            "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
            "X-Goog-Credential": "links@project.example/20261123/auto/storage/goog4_request",
            "X-Goog-Date": "20261123T120000Z",
            "X-Goog-Expires": "90",
            "X-Goog-SignedHeaders": "host",
        }

    def test_a_signature_for_head_is_another(self, google: Any) -> None:
        storage = google()
        for_get, for_head = query(signed(storage)), query(signed(storage, HEAD))
        assert for_get.pop("X-Goog-Signature") != for_head.pop("X-Goog-Signature")
        assert for_get == for_head

    def test_one_signature_leaves_nothing_behind_for_the_next(self, google: Any) -> None:
        kept = {"cache_control": "private"}
        storage = google(object_parameters=kept)
        assert signed(storage) == signed(storage)
        longer = Wish("text/plain", "attachment", 120, head_only=False)
        parameters = query(signed(storage, longer))
        assert parameters["X-Goog-Expires"] == "120"
        assert parameters["response-content-type"] == "text/plain"
        assert kept == {"cache_control": "private"}

    def test_a_host_of_ones_own_is_signed_for(self, google: Any) -> None:
        target = signed(google(custom_endpoint="https://files.example.org"))
        assert place(target) == f"https://files.example.org/{NAME}"
        assert query(target)["X-Goog-Expires"] == "90"

    @pytest.mark.parametrize(
        "options",
        [
            {"querystring_auth": False},
            {"default_acl": "publicRead"},
            {"object_parameters": {"acl": "publicRead"}},
        ],
    )
    def test_what_is_public_is_left_alone(self, options: dict[str, Any], google: Any) -> None:
        storage = google(**options)
        assert signed(storage, HEAD) == Target(storage.url(NAME))
        assert urlsplit(storage.url(NAME)).query == ""

    def test_the_access_of_an_object_comes_before_the_default(self, google: Any) -> None:
        storage = google(default_acl="publicRead", object_parameters={"acl": "private"})
        assert signed(storage).overrides is True


class TestAzure:
    @pytest.mark.parametrize("wish", [WISH, HEAD])
    def test_it_signs_what_was_wished(self, wish: Wish) -> None:
        target = signed(azure(expiration_secs=3600), wish)
        # A signature for reading does not tell a HEAD from a GET.
        assert (target.seconds, target.overrides, target.head_only) == (90, True, False)
        assert place(target) == f"https://me.blob.core.windows.net/files/{NAME}"
        parameters = query(target)
        assert parameters.pop("sig")
        assert parameters.pop("sv")
        assert parameters == {
            "rscd": 'inline; filename="a b.png"',
            "rsct": "image/png",
            "se": "2026-11-23T12:01:30Z",
            "sp": "r",
            "sr": "b",
        }

    def test_a_domain_of_ones_own_is_kept(self) -> None:
        target = signed(azure(expiration_secs=3600, custom_domain="cdn.example.org"))
        assert place(target) == f"https://cdn.example.org/files/{NAME}"
        assert query(target)["rsct"] == "image/png"

    def test_a_key_signs_although_no_expiration_is_set(self) -> None:
        target = signed(azure())
        assert (target.seconds, target.overrides) == (90, True)
        assert query(target)["sp"] == "r"

    def test_without_a_key_and_an_expiration_it_is_left_alone(self) -> None:
        storage = azure(account_key=None, token_credential=AzureSasCredential("none"))
        assert signed(storage) == Target(storage.url(NAME))
        assert urlsplit(storage.url(NAME)).query == ""


class TestEncoding:
    """What is named as encoded is asked for as it is, if the storage can be asked."""

    def test_of_s3(self) -> None:
        parameters = query(signed(s3(), AS_IT_IS))
        assert parameters["response-content-encoding"] == "identity"

    def test_of_s3_behind_cloudfront(self, private_key: str) -> None:
        storage = s3(
            custom_domain="cdn.example.org",
            cloudfront_key_id="K1",
            cloudfront_key=private_key.encode(),
        )
        assert query(signed(storage, AS_IT_IS))["response-content-encoding"] == "identity"

    def test_of_azure(self) -> None:
        assert query(signed(azure(expiration_secs=3600), AS_IT_IS))["rsce"] == "identity"

    def test_google_cannot_be_asked(self, google: Any) -> None:
        assert signed(google(), AS_IT_IS) == signed(google())


class TestIdentity:
    """Each of these makes another URL, or one that another key has signed."""

    @pytest.mark.parametrize(
        "options",
        [
            {"bucket_name": "others"},
            {"location": "below"},
            {"endpoint_url": "https://minio.example"},
            {"region_name": "eu-central-1"},
            {"addressing_style": "path"},
            {"access_key": "another"},
            {"secret_key": "rotated"},
            {"security_token": "token"},
            {"custom_domain": "cdn.example.org"},
            {"querystring_auth": False},
        ],
    )
    def test_of_s3(self, options: dict[str, Any]) -> None:
        assert identity_of(s3(**options)) != identity_of(s3()) == identity_of(s3())

    @pytest.mark.parametrize(
        "options",
        [
            {"bucket_name": "others"},
            {"location": "below"},
            {"custom_endpoint": "https://files.example.org"},
            {"project_id": "another"},
            {"querystring_auth": False},
            {"default_acl": "publicRead"},
            {"sa_email": "signer@project.example"},
            {"credentials": None},
            {"key_id": "rotated"},
        ],
    )
    def test_of_google(self, options: dict[str, Any], google: Any) -> None:
        assert identity_of(google(**options)) != identity_of(google()) == identity_of(google())

    @pytest.mark.parametrize(
        "options",
        [
            {"azure_container": "others"},
            {"location": "below"},
            {"account_name": "another"},
            {"account_key": b64encode(b"rotated").decode()},
            {"sas_token": "token"},
            {"connection_string": "BlobEndpoint=https://azurite.example"},
            {"custom_domain": "cdn.example.org"},
            {"expiration_secs": 60},
            {"token_credential": object()},
        ],
    )
    def test_of_azure(self, options: dict[str, Any]) -> None:
        assert identity_of(azure(**options)) != identity_of(azure()) == identity_of(azure())

    def test_of_another_class_with_the_same_options(self) -> None:
        assert identity_of(s3(OwnS3Storage)) != identity_of(s3())

    def test_of_a_property_that_changes_as_with_tenants(self) -> None:
        class OfTenants(S3Storage):  # type: ignore[misc]  # django-storages has no types
            tenant = "one"
            location = property(lambda self: self.tenant)

        storage = s3(OfTenants)
        before = identity_of(storage)
        storage.tenant = "two"
        assert identity_of(storage) != before

    def test_of_any_other_storage_is_unknown(self) -> None:
        assert identity_of(Bucket()) is None


@pytest.mark.parametrize("name", ["新 文件.png", 'a"b.png', "a%20&b=c;.png", "a'b\\c.png"])
def test_any_name_arrives_as_it_was_wished(name: str, google: Any) -> None:
    shown = disposition(name, attachment=True)
    wish = Wish("text/plain; charset=utf-8", shown, 90, head_only=False)
    of_s3, of_google = query(signed(s3(), wish)), query(signed(google(), wish))
    of_azure = query(signed(azure(expiration_secs=1), wish))
    assert of_s3["response-content-disposition"] == shown
    assert of_s3["response-content-type"] == wish.content_type
    assert of_google["response-content-disposition"] == shown
    assert of_google["response-content-type"] == wish.content_type
    assert (of_azure["rscd"], of_azure["rsct"]) == (shown, wish.content_type)


class OwnS3Storage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """As sites write them."""


class TestRegistered:
    def test_a_subclass_of_a_known_storage_is_known(self) -> None:
        assert query(signed(s3(OwnS3Storage)))["X-Amz-Expires"] == "90"
        assert signed(s3(S3StaticStorage)).overrides is False

    @pytest.mark.usefixtures("_presigners_of_its_own")
    def test_a_site_can_teach_it_a_storage_and_its_subclasses(self) -> None:
        def presigner(storage: Bucket, name: str, wish: Wish) -> Target:
            return Target(f"{storage.url(name)}?for={wish.seconds}", wish.seconds)

        register("tests.storages.Bucket", presigner)

        class Below(Bucket):
            pass

        for storage in (Bucket(), Below()):
            assert signed(storage) == Target(f"{storage.url(NAME)}?for=90", 90)

    @pytest.mark.usefixtures("_presigners_of_its_own")
    def test_the_nearest_class_has_the_word(self) -> None:
        own = Target("https://own.example/")
        register(f"{__name__}.OwnS3Storage", lambda storage, name, wish: own)
        assert signed(s3(OwnS3Storage)) == own
        assert signed(s3()) != own

    def test_any_other_storage_gives_its_plain_url(self) -> None:
        assert signed(Bucket()) == Target(f"https://bucket.example/files/{NAME}")
        local = FileSystemStorage(base_url="/media/")
        assert signed(local) == Target("/media/directlinks/x/a%20b.png")
