"""Time limits of reading, for storages on which the site has set none.

The packages of S3, Azure and Google wait for a minute and retry for several, because they are made
for uploads, too. So contents are read by a copy of the site's storage that gives up earlier. The
site's own storage stays as it is, and a time limit that the site chose itself is kept.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from django.core.files.storage import Storage

from directlinks.conf import conf
from directlinks.storage import StorageRegistry
from directlinks.storage_errors import answer_error, storage_errors

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10
"""How long a storage may take to connect, and then before each part of its answer."""

_limiters: StorageRegistry[Callable[[Any], Any]] = StorageRegistry()


def within_limits(storage: Storage) -> Storage:
    """Return ``storage``, or a copy of it that gives up in time if we know how to make one."""
    limiter = _limiters.of(storage)
    if limiter is None:
        return storage
    made = conf.made.get((within_limits, id(storage)))
    if made is None:
        # With the storage, so that nothing else comes to have its id.
        made = conf.made[within_limits, id(storage)] = (limiter(storage), storage)
    limited: Storage = made[0]
    return limited


def _s3(storage: Any) -> Any:
    chosen = storage.client_config
    untouched = type(chosen)()
    limits: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "retries": {"total_max_attempts": 2, "mode": "standard"},
    }
    ours = {
        name: limit
        for name, limit in limits.items()
        if getattr(chosen, name) == getattr(untouched, name)
    }
    limited = copy(storage)  # without the connections, which it makes anew
    limited.client_config = chosen.merge(type(chosen)(**ours))
    return limited


_AZURE = {
    "connection_timeout": CONNECT_SECONDS,
    "read_timeout": ANSWER_SECONDS,
    "retry_total": 1,
    "initial_backoff": 1,
    "increment_base": 1,
    "random_jitter_range": 1,
}


def _azure(storage: Any) -> Any:
    if type(storage)._get_service_client.__module__ != "storages.backends.azure_storage":
        return storage  # the site makes its client itself
    limited = copy(storage)
    limited._client = limited._service_client = None
    limited.client_options = {**_AZURE, **storage.client_options}
    if storage.connection_string is not None:
        # Of which django-storages makes a client without any option.
        client = type(storage.service_client)
        limited._service_client = client.from_connection_string(storage.connection_string, **_AZURE)
    return limited


def _google(storage: Any) -> Any:
    client = storage.client
    limited = copy(storage)
    limited._bucket = None
    limited._client = type(client)(
        project=client.project,
        credentials=client._credentials,
        client_options={"api_endpoint": client.api_endpoint},
        _http=_Session(client._http),
    )
    return limited


class _Session:
    """The session of Google's client, which tries each request once and not for long.

    Neither can be said to the client, but by arguments of each call. It goes on trying after the
    errors of its session, not after ours.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        limits = (CONNECT_SECONDS, ANSWER_SECONDS)
        with storage_errors():
            response = self._session.request(*args, **{**kwargs, "timeout": limits})
        if response.status_code >= 500 or response.status_code == 429:
            response.close()
            raise answer_error(response.status_code, response.headers)
        return response


_limiters.register("storages.backends.s3.S3Storage", _s3)
_limiters.register("storages.backends.azure_storage.AzureStorage", _azure)
_limiters.register("storages.backends.gcloud.GoogleCloudStorage", _google)
