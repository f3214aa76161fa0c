"""The temporary URLs of remote storages, each in that storage's own words.

``storage.url(name)`` alone cannot say how the bytes are to be shown. The storages of
django-storages can be told, by parameters that each spells differently and that some silently
lose. A storage that is not listed gives its plain URL; ``register`` adds one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.storage import Storage

from directlinks.delivery.registry import StorageRegistry


@dataclass(frozen=True, slots=True)
class Wish:
    """What the URL should give: for ``seconds``, the bytes with these two headers.

    With ``head_only`` it should refuse every method but HEAD.
    """

    content_type: str
    disposition: str
    seconds: int
    head_only: bool


@dataclass(frozen=True, slots=True)
class Target:
    """``url`` is good for ``seconds``, or for ever where None.

    Fewer than were wished for do not go together with CACHE_SECONDS, by which a process remembers a
    target for a part of what was wished for.

    ``overrides`` says whether it gives the headers wished for, and ``head_only`` whether it
    refuses every method but HEAD.
    """

    url: str
    seconds: int | None = None
    overrides: bool = False
    head_only: bool = False


Presigner = Callable[[Any, str, Wish], Target]

_presigners: StorageRegistry[Presigner] = StorageRegistry()


def register(storage_class: str, presigner: Presigner) -> None:
    """Let ``presigner`` make the URLs of the storage class at this dotted path.

    It is called with the storage, a content's name and a Wish. The class need not be importable.
    """
    _presigners.register(storage_class, presigner)


def target_of(storage: Storage, name: str, wish: Wish) -> Target:
    """The URL of the content ``name`` in ``storage``, as near to ``wish`` as that storage gets."""
    presigner = _presigners.of(storage)
    return Target(storage.url(name)) if presigner is None else presigner(storage, name, wish)


def _s3(storage: Any, name: str, wish: Wish) -> Target:
    by_cloudfront = storage.custom_domain and storage.cloudfront_signer
    if not storage.querystring_auth or (storage.custom_domain and not by_cloudfront):
        # S3 refuses overrides that nobody signed, so they are left out.
        return Target(storage.url(name))
    if by_cloudfront:
        # Behind a domain of one's own, parameters arrive as they are spelt here.
        parameters = {
            "response-content-disposition": wish.disposition,
            "response-content-type": wish.content_type,
        }
        url = storage.url(name, parameters=parameters, expire=wish.seconds)
        return Target(url, wish.seconds, overrides=True)
    parameters = {
        "ResponseContentDisposition": wish.disposition,
        "ResponseContentType": wish.content_type,
    }
    method = "HEAD" if wish.head_only else None
    url = storage.url(name, parameters=parameters, expire=wish.seconds, http_method=method)
    return Target(url, wish.seconds, overrides=True, head_only=wish.head_only)


def _google(storage: Any, name: str, wish: Wish) -> Target:
    access = storage.get_object_parameters(name).get("acl", storage.default_acl)
    if access == "publicRead" or not storage.querystring_auth:
        return Target(storage.url(name))
    # The storage adds to the dict that it is given, so it is given one of its own.
    parameters = {
        "response_disposition": wish.disposition,
        "response_type": wish.content_type,
        "expiration": timedelta(seconds=wish.seconds),
        "method": "HEAD" if wish.head_only else "GET",
    }
    url = storage.url(name, parameters=parameters)
    return Target(url, wish.seconds, overrides=True, head_only=wish.head_only)


def _azure(storage: Any, name: str, wish: Wish) -> Target:
    # The site asks for signatures by setting expiration_secs; without it, containers are public.
    if not storage.expiration_secs:
        return Target(storage.url(name))
    parameters = {"content_disposition": wish.disposition, "content_type": wish.content_type}
    url = storage.url(name, expire=wish.seconds, parameters=parameters)
    return Target(url, wish.seconds, overrides=True)


register("storages.backends.s3.S3Storage", _s3)
register("storages.backends.gcloud.GoogleCloudStorage", _google)
register("storages.backends.azure_storage.AzureStorage", _azure)
