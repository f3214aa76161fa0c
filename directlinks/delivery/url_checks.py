"""System checks of the storages whose URLs visitors are sent to.

What is wrong is read from the settings of a storage: nothing is signed, imported or asked.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.files.storage import Storage

from directlinks.conf import conf
from directlinks.delivery.presigning import has_presigner
from directlinks.storage import StorageRegistry

# Version 4 of the signatures of S3 and of Google, and the user delegation keys of Azure.
_LONGEST = 7 * 24 * 3600
# Credentials of a role may end after an hour.
_LONGEST_OF_ROLES = 3600

Judge = Callable[[Any], Iterator[CheckMessage]]

_judges: StorageRegistry[Judge] = StorageRegistry()


def url_faults(storage: Storage) -> list[CheckMessage]:
    """Return what keeps visitors from following the URLs of ``storage``."""
    judge = _judges.of(storage)
    if judge is None and not has_presigner(storage):
        judge = _other
    return [*(judge(storage) if judge else ()), *_plain_http(storage)]


def _s3(storage: Any) -> Iterator[CheckMessage]:
    if not storage.querystring_auth:
        yield _unsigned(storage, "Remove querystring_auth from the storage's options.")
        return
    if storage.custom_domain:
        if not storage.cloudfront_signer:
            yield _domain_without_signer(storage)
        return  # signed for CloudFront, which knows no regions
    if bool(storage.access_key) != bool(storage.secret_key):
        yield _cannot_sign(
            "S3 signs with a pair of keys, and has only one of them.",
            "Set both of the storage's options access_key and secret_key, or neither.",
        )
    if storage.client_config.signature_version != "s3v4":
        yield Caution(
            "S3 may sign with version 2, which most regions refuse.",
            hint="Set the storage's option signature_version to 's3v4'.",
            id="directlinks.W010",
        )
    else:
        yield from _too_long("S3")
    if storage.security_token or not (storage.access_key or storage.secret_key):
        yield from _expires_with_the_token()
    if not storage.endpoint_url:
        yield from _host_of_s3(storage)


def _host_of_s3(storage: Any) -> Iterator[CheckMessage]:
    """Yield that Amazon's URLs lead to another host than that of the bucket's region."""
    region = storage.region_name or os.environ.get("AWS_DEFAULT_REGION")
    if region is None:
        if not storage.session_profile:  # which may name one
            yield Caution(
                "S3 signs for the region us-east-1, because none is set, and every other region "
                "refuses that.",
                hint="Set the storage's option region_name to the region of the bucket.",
                id="directlinks.W019",
            )
        return
    style = (storage.client_config.s3 or {}).get("addressing_style")
    # Other partitions than Amazon's first have no host for all regions.
    if style != "virtual" and region != "us-east-1" and not region.startswith(("cn-", "us-gov-")):
        yield Caution(
            f"S3 signs for the host of all regions, from which a new bucket in {region} redirects, "
            "and a signature does not survive that.",
            hint="Set the storage's option addressing_style to 'virtual'.",
            id="directlinks.W020",
        )


def _google(storage: Any) -> Iterator[CheckMessage]:
    if not storage.querystring_auth:
        yield _unsigned(storage, "Remove querystring_auth from the storage's options.")
        return
    if storage.default_acl == "publicRead":
        return  # asked for: the objects themselves are public
    yield from _too_long("Google")
    if storage.credentials and not (
        storage.iam_sign_blob or hasattr(storage.credentials, "sign_bytes")
    ):
        kind = type(storage.credentials)
        yield _cannot_sign(
            f"Credentials of the type {kind.__module__}.{kind.__qualname__} cannot sign.",
            "Give the storage a service account's key, or set its option iam_sign_blob to True.",
        )


def _azure(storage: Any) -> Iterator[CheckMessage]:
    if storage.account_key:
        return  # it signs, for any time
    if not storage.token_credential:
        shared = "SharedAccessSignature" in (storage.connection_string or "")
        if storage.sas_token or shared:
            yield Error(
                "Visitors get the shared access signature by which the site itself reaches the "
                "container.",
                hint="Give the storage account_key or token_credential in its place, by which it "
                "can sign one URL for each visitor.",
                id="directlinks.E041",
            )
        elif storage.expiration_secs:
            yield _cannot_sign(
                "Azure signs with a key or a token, and the storage has neither.",
                "Set the storage's option account_key or token_credential.",
            )
        else:
            yield _unsigned(storage, "Set the storage's option account_key or token_credential.")
    elif storage.expiration_secs:
        yield from _too_long("Azure")
    else:
        yield _unsigned(storage, "Set the storage's option expiration_secs, to 3600 say.")


def _other(storage: Storage) -> Iterator[CheckMessage]:
    """Yield that a storage that signs nothing gives no URL that a visitor can follow."""
    name = type(storage).__name__
    base = getattr(storage, "base_url", "://")
    if type(storage).url is Storage.url or base is None:
        fault = f"{name} gives no URLs, so no link opens."
    elif isinstance(base, str) and "://" not in base:
        fault = f"{name} gives URLs without a host, below {base!r}, which no link leads to."
    else:
        return
    yield Error(
        fault,
        hint="Set DIRECTLINKS[\"DELIVERY\"] to {'BACKEND': "
        "'directlinks.delivery.backends.stream.StreamBackend'}, or the storage's base_url to the "
        "address at which a server publishes its files.",
        id="directlinks.E040",
    )


def _unsigned(storage: Storage, hint: str) -> CheckMessage:
    return Caution(
        f"{type(storage).__name__} does not sign its URLs, so visitors get 403 or 404 unless "
        "everything in it is public.",
        hint=hint,
        id="directlinks.W016",
    )


def _domain_without_signer(storage: Any) -> CheckMessage:
    return Caution(
        f"The URLs at {storage.custom_domain} are not signed, so visitors get 403 or 404 unless "
        "everything there is public.",
        hint="Set the storage's options cloudfront_key_id and cloudfront_key, or remove "
        "custom_domain.",
        id="directlinks.W017",
    )


def _cannot_sign(fault: str, hint: str) -> CheckMessage:
    return Error(fault, hint=hint, id="directlinks.E039")


def _too_long(provider: str) -> Iterator[CheckMessage]:
    if conf.TARGET_SECONDS > _LONGEST:
        yield Error(
            f'DIRECTLINKS["TARGET_SECONDS"] is {conf.TARGET_SECONDS}, and {provider} signs for at '
            f"most {_LONGEST}.",
            hint=f"Lower it to {_LONGEST} or less. Links stay good: each visit gets a new URL.",
            id="directlinks.E038",
        )


def _expires_with_the_token() -> Iterator[CheckMessage]:
    if conf.TARGET_SECONDS > _LONGEST_OF_ROLES:
        yield Caution(
            f'DIRECTLINKS["TARGET_SECONDS"] is {conf.TARGET_SECONDS}, and a URL ends with the '
            "temporary credentials that signed it.",
            hint=f"Lower it to {_LONGEST_OF_ROLES} or less, or give the storage a key that stays.",
            id="directlinks.W018",
        )


def _plain_http(storage: Any) -> Iterator[CheckMessage]:
    places = (getattr(storage, name, None) for name in ("endpoint_url", "base_url"))
    if conf.is_https and any(str(place).startswith("http:") for place in places):
        yield Caution(
            "Links begin with https: and lead to URLs that begin with http:, which browsers may "
            "block, and which others on the way can read.",
            hint="Let the storage give URLs that begin with https:.",
            id="directlinks.W021",
        )


for _path, _judge in (
    ("storages.backends.s3.S3Storage", _s3),
    ("storages.backends.gcloud.GoogleCloudStorage", _google),
    ("storages.backends.azure_storage.AzureStorage", _azure),
):
    _judges.register(_path, _judge)
