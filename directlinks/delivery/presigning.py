"""Temporary URLs of remote storages, through each storage's own API.

``storage.url(name)`` alone cannot say how the contents are to be shown. The storages of
django-storages can be told, by parameters that each spells differently and that some silently lose.
A storage that is not listed gives its plain URL; ``register`` adds one.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.core.files.storage import Storage

from directlinks.storage import StorageRegistry


@dataclass(frozen=True, slots=True)
class Wish:
    """What the URL should give: for ``seconds``, the bytes with these headers.

    With ``head_only`` it should refuse every method but HEAD. ``content_encoding`` is "identity" if
    the name of the content implies an encoding, so that clients leave the bytes as they are, and
    None if nothing is to be said: then the content has the encoding that it was stored with.
    """

    content_type: str
    disposition: str
    seconds: int
    head_only: bool
    content_encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """``url`` is good for ``seconds``, or for ever if None.

    Fewer than were wished for do not go together with CACHE_SECONDS, by which a process remembers a
    target for a part of what was wished for.

    ``overrides`` says whether it gives the headers wished for, ``head_only`` whether it refuses
    every method but HEAD, and ``get_only`` whether it refuses HEAD.
    """

    url: str
    seconds: int | None = None
    overrides: bool = False
    head_only: bool = False
    get_only: bool = False


Presigner = Callable[[Any, str, Wish], Target]

# What tells a storage from others of its class, also from itself with another key.
Identity = Callable[[Any], object]


class _Known(NamedTuple):
    presigner: Presigner
    identity: Identity | None


_presigners: StorageRegistry[_Known] = StorageRegistry()


def register(storage_class: str, presigner: Presigner, identity: Identity | None = None) -> None:
    """Let ``presigner`` make the URLs of the storage class at this dotted path.

    It is called with the storage, a content's name and a Wish. The class need not be importable.

    ``identity`` returns what the URLs of a storage depend on, as something with a ``repr()`` of its
    own: place, address and key. It is digested with the site's ``SECRET_KEY``. URLs are kept for
    the next visitors under that digest alone, so without ``identity`` each visit is signed anew.
    """
    _presigners.register(storage_class, _Known(presigner, identity))


def has_presigner(storage: Storage) -> bool:
    """Return True if the URLs of ``storage`` are not its plain ones."""
    return _presigners.of(storage) is not None


def target_of(storage: Storage, name: str, wish: Wish) -> Target:
    """Return the URL of the content ``name`` in ``storage``, as near to ``wish`` as it gets."""
    known = _presigners.of(storage)
    return Target(storage.url(name)) if known is None else known.presigner(storage, name, wish)


def identity_of(storage: Storage) -> object:
    """Return what the URLs of ``storage`` depend on, secrets included, or None if unknown."""
    known = _presigners.of(storage)
    if known is None or known.identity is None:
        return None
    kind = type(storage)
    return kind.__module__, kind.__qualname__, known.identity(storage)


def at_endpoint(storage: Any, endpoint: str) -> Any:
    """Return a copy of ``storage``, one of S3, that signs for the server at ``endpoint``.

    Its connections are its own, as a signature covers the host.
    """
    moved = copy(storage)
    moved.endpoint_url = endpoint
    return moved


def signs_at_endpoint(storage: Any) -> bool:
    """Return True if ``at_endpoint`` changes what ``storage`` signs."""
    known = _presigners.of(storage)
    return known is not None and known.presigner is _s3 and not storage.custom_domain


def _attributes(*names: str) -> Identity:
    return lambda storage: [(name, getattr(storage, name, None)) for name in names]


def _s3(storage: Any, name: str, wish: Wish) -> Target:
    by_cloudfront = storage.custom_domain and storage.cloudfront_signer
    if not storage.querystring_auth or (storage.custom_domain and not by_cloudfront):
        # S3 refuses overrides that are not signed, so they are left out.
        return Target(storage.url(name))
    if by_cloudfront:
        # Behind a domain of one's own, parameters arrive as they are spelt here.
        parameters = {
            "response-content-disposition": wish.disposition,
            "response-content-type": wish.content_type,
        }
        if wish.content_encoding is not None:
            parameters["response-content-encoding"] = wish.content_encoding
        url = storage.url(name, parameters=parameters, expire=wish.seconds)
        return Target(url, wish.seconds, overrides=True)
    parameters = {
        "ResponseContentDisposition": wish.disposition,
        "ResponseContentType": wish.content_type,
    }
    if wish.content_encoding is not None:
        parameters["ResponseContentEncoding"] = wish.content_encoding
    method = "HEAD" if wish.head_only else None
    url = storage.url(name, parameters=parameters, expire=wish.seconds, http_method=method)
    # The method is part of what is signed.
    return Target(
        url, wish.seconds, overrides=True, head_only=wish.head_only, get_only=not wish.head_only
    )


def _google(storage: Any, name: str, wish: Wish) -> Target:
    access = storage.get_object_parameters(name).get("acl", storage.default_acl)
    if access == "publicRead" or not storage.querystring_auth:
        return Target(storage.url(name))
    # Google has no parameter for the encoding. The storage adds to the dict that it is given, so it
    # is given one of its own.
    parameters = {
        "response_disposition": wish.disposition,
        "response_type": wish.content_type,
        "expiration": timedelta(seconds=wish.seconds),
        "method": "HEAD" if wish.head_only else "GET",
    }
    url = storage.url(name, parameters=parameters)
    # What is signed for GET is good for HEAD.
    return Target(url, wish.seconds, overrides=True, head_only=wish.head_only)


def _azure(storage: Any, name: str, wish: Wish) -> Target:
    # A key costs nothing. A token has to be allowed to sign, so expiration_secs asks for that.
    if not (storage.account_key or storage.expiration_secs):
        return Target(storage.url(name))
    parameters = {"content_disposition": wish.disposition, "content_type": wish.content_type}
    if wish.content_encoding is not None:
        parameters["content_encoding"] = wish.content_encoding
    url = storage.url(name, expire=wish.seconds, parameters=parameters)
    return Target(url, wish.seconds, overrides=True)


def _google_identity(storage: Any) -> object:
    credentials = storage.credentials
    signer = getattr(credentials, "signer", None)
    return (
        _GOOGLE(storage),
        type(credentials).__qualname__,
        getattr(credentials, "service_account_email", None),
        getattr(signer, "key_id", None),
    )


def _azure_identity(storage: Any) -> object:
    return _AZURE(storage), type(storage.token_credential).__qualname__


# Keys are rotated under one id, so the secrets belong to these.
_S3 = _attributes(
    "bucket_name",
    "location",
    "endpoint_url",
    "region_name",
    "use_ssl",
    "addressing_style",
    "signature_version",
    "querystring_auth",
    "session_profile",
    "access_key",
    "secret_key",
    "security_token",
    "url_protocol",
    "custom_domain",
    "cloudfront_key_id",
    "cloudfront_key",
)
_GOOGLE = _attributes(
    "bucket_name",
    "location",
    "custom_endpoint",
    "project_id",
    "default_acl",
    "object_parameters",
    "querystring_auth",
    "iam_sign_blob",
    "sa_email",
)
_AZURE = _attributes(
    "azure_container",
    "location",
    "account_name",
    "account_key",
    "sas_token",
    "connection_string",
    "azure_ssl",
    "endpoint_suffix",
    "custom_domain",
    "expiration_secs",
)

register("storages.backends.s3.S3Storage", _s3, _S3)
register("storages.backends.gcloud.GoogleCloudStorage", _google, _google_identity)
register("storages.backends.azure_storage.AzureStorage", _azure, _azure_identity)
