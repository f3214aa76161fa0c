"""Servers of objects, each with an empty bucket, and how a site declares its storage there.

Those of S3 check signatures, as Azurite does. The server that stands for Google's does not: tests
look at what was signed for it.
"""

import base64
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import boto3  # type: ignore[import-untyped]  # has no types
import pytest
from azure.storage.blob import BlobServiceClient
from botocore.config import Config  # type: ignore[import-untyped]  # has no types
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # has no types
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.utils.module_loading import import_string
from google.cloud.storage import Client  # type: ignore[import-untyped]  # has no types
from google.oauth2.service_account import Credentials

from directlinks.models import File
from tests.real.faulty_proxy import Proxy, Request, faulty_proxy
from tests.real.programs import needed
from tests.real.servers import Server, free_port, running
from tests.real.sites import CHECKOUT, Site
from tests.real.visitors import PATIENCE

ACCESS_KEY, SECRET_KEY, BUCKET = "AKIATESTKEY", "a-secret-of-some-length", "links"
ACCOUNT, ACCOUNT_KEY = "links", base64.b64encode(SECRET_KEY.encode()).decode()

SETTINGS = """
STORAGES = {{
    "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    "staticfiles": {{"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
    "directlinks": {{"BACKEND": {backend!r}, "OPTIONS": {options!r}}},
}}
"""
# Credentials are an object, so they are no part of the options above.
GOOGLE_SETTINGS = """
import os
from google.oauth2.service_account import Credentials
os.environ["STORAGE_EMULATOR_HOST"] = {origin!r}
STORAGES["directlinks"]["OPTIONS"]["credentials"] = Credentials.from_service_account_file(
    {key!r}, always_use_jwt_access=True
)
"""


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """A server of objects at ``origin``, which is its own or that of a proxy in front of it.

    ``options`` are those of the storage, with ``{origin}`` for the address. ``key`` is the file
    with the credentials of Google.
    """

    server: Server
    origin: str
    backend: str
    options: dict[str, Any]
    key: Path | None = None

    @contextmanager
    def behind_proxy(self) -> Iterator[tuple["ObjectStorage", Proxy]]:
        """The same storage, reached by a proxy that may be told to fail."""
        # The emulator of Google knows itself by its own address alone.
        with faulty_proxy(self.origin, keeps_host=self.key is None) as proxy:
            if self.key is not None:
                proxy.rewrite = _with_content_ids
            yield replace(self, origin=proxy.origin), proxy

    def storage(self, **options: Any) -> Any:
        """Return the storage with ``options`` more, for this process."""
        given = self._given(options)
        if self.key is not None:
            given["credentials"] = credentials(self.key)
        storage: Any = import_string(self.backend)(**given)
        if self.key is not None:
            where = {"api_endpoint": self.origin}
            storage._client = Client("project", given["credentials"], client_options=where)
        return storage

    def entry(self, **options: Any) -> dict[str, Any]:
        """Return it as an entry of STORAGES for this process; ``None`` leaves an option out."""
        given = self._given(options)
        if self.key is not None and "credentials" not in options:
            given["credentials"] = credentials(self.key)
        there = {name: value for name, value in given.items() if value is not None}
        return {"BACKEND": self.backend, "OPTIONS": there}

    def settings(self, **options: Any) -> str:
        """Return the same as settings of a site: the storage ``directlinks``."""
        text = SETTINGS.format(backend=self.backend, options=self._given(options))
        if self.key is not None:
            text += GOOGLE_SETTINGS.format(origin=self.origin, key=str(self.key))
        return text

    def _given(self, more: dict[str, Any]) -> dict[str, Any]:
        own = {
            name: value.replace("{origin}", self.origin) if isinstance(value, str) else value
            for name, value in self.options.items()
        }
        return {**own, **more}


_PAGE = (CHECKOUT / "docs" / "delivery.md").read_text()
_EXAMPLE = re.compile(r"^```python\n((?:(?!^```).)*^STORAGES = .*?)^```$", re.MULTILINE | re.DOTALL)
GOOGLE_KEY = "/etc/my-site/google.json"


def documented(backend: str, **files: str) -> dict[str, Any]:
    """Return the options of a storage of ``backend`` that docs/delivery.md recommends.

    ``key`` may name a file in place of the key of Google in the page.
    """
    (code,) = (code for code in _EXAMPLE.findall(_PAGE) if f'"BACKEND": "{backend}"' in code)
    names: dict[str, Any] = {}
    exec(code.replace(GOOGLE_KEY, files.get("key", GOOGLE_KEY)), names)
    options: dict[str, Any] = names["STORAGES"]["directlinks"]["OPTIONS"]
    return options


# What names the place, and what an address of this machine needs, come on top of what the page has.
S3 = "storages.backends.s3.S3Storage"
S3_PLACE = {
    "access_key": ACCESS_KEY,
    "secret_key": SECRET_KEY,
    "bucket_name": BUCKET,
    "endpoint_url": "{origin}",
    "addressing_style": "path",
}
S3_OPTIONS = {**documented(S3), **S3_PLACE}
AZURE = "storages.backends.azure_storage.AzureStorage"
AZURE_PLACE = {
    "account_name": ACCOUNT,
    "azure_container": BUCKET,
    "connection_string": (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"BlobEndpoint={{origin}}/{ACCOUNT}"
    ),
    "expiration_secs": 3600,  # for tests that ask the storage itself for a URL
}
GOOGLE = "storages.backends.gcloud.GoogleCloudStorage"
GOOGLE_PLACE = {
    "bucket_name": BUCKET,
    "project_id": "project",
    "custom_endpoint": f"{{origin}}/{BUCKET}",
}


@contextmanager
def rclone(folder: Path) -> Iterator[ObjectStorage]:
    """rclone as S3 server, which keeps the objects as files of the new ``folder``."""
    program = needed("rclone")
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    keys = ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", *keys, str(folder)]
    no_settings = ["--config", str(folder.with_suffix(".conf"))]
    with running([*command, *no_settings], port, folder.with_suffix(".log")) as server:
        yield ObjectStorage(server, server.origin, S3, S3_OPTIONS)


@contextmanager
def seaweedfs(folder: Path) -> Iterator[ObjectStorage]:
    """SeaweedFS as S3 server, in the new ``folder``. It takes some fifteen seconds to come up."""
    program = needed("weed")
    folder.mkdir()
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    actions = ["Admin", "Read", "List", "Tagging", "Write"]
    identity = {"name": "links", "credentials": keys, "actions": actions}
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    ports = {
        f"{part}.port{protocol}": free_port()
        for part in ("master", "volume", "filer", "s3")
        for protocol in ("", ".grpc")
    }
    options = {
        "dir": folder,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "volume.max": 20,
        "volume.preStopSeconds": 0,
        "filer": "true",
        "s3": "true",
        "s3.config": config,
        "s3.iam": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        **ports,
    }
    command = [program, "server", *(f"-{name}={value}" for name, value in options.items())]
    with running(command, ports["s3.port"], folder.with_suffix(".log"), cwd=folder) as server:
        origin = f"http://127.0.0.1:{ports['s3.port']}"
        _until_it_answers(lambda: s3_client(origin).create_bucket(Bucket=BUCKET))
        yield ObjectStorage(server, origin, S3, S3_OPTIONS)


@contextmanager
def azurite(folder: Path) -> Iterator[ObjectStorage]:
    """Azurite, the emulator of Azure's blobs, in the new ``folder``."""
    program = needed("azurite-blob")
    folder.mkdir()
    port = free_port()
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location"]
    command += [str(folder), "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY}"}
    log = folder.with_suffix(".log")
    with running(command, port, log, environment=environment) as server:
        with mock.patch.dict(os.environ, AZURE_ACCOUNT_KEY=ACCOUNT_KEY):
            options = {**documented(AZURE), **AZURE_PLACE}
        found = ObjectStorage(server, server.origin, AZURE, options)
        where = str(found._given({})["connection_string"])
        BlobServiceClient.from_connection_string(where).create_container(BUCKET)
        yield found


@contextmanager
def fake_gcs(folder: Path) -> Iterator[ObjectStorage]:
    """The emulator of Google Cloud Storage, with its objects in memory."""
    program = needed("fake-gcs-server")
    folder.mkdir()
    port = free_port()
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "client_email": "links@project.example",
        "private_key": private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode(),
        "token_uri": "http://127.0.0.1:1/never",
    }
    key = folder / "key.json"
    key.write_text(json.dumps(account))
    place = f"127.0.0.1:{port}"
    command = [program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-public-host", place, "-backend", "memory"]
    # Google tells times in UTC, and its client takes no others.
    environment = {**os.environ, "TZ": "UTC"}
    with running(command, port, folder.with_suffix(".log"), environment=environment) as server:
        where = {"api_endpoint": server.origin}
        Client("project", credentials(key), client_options=where).create_bucket(BUCKET)
        options = {**documented(GOOGLE, key=str(key)), **GOOGLE_PLACE}
        del options["credentials"]  # which ask for a token first
        yield ObjectStorage(server, server.origin, GOOGLE, options, key)


OBJECT_SERVERS: dict[str, Callable[[Path], AbstractContextManager[ObjectStorage]]] = {
    "rclone": rclone,
    "SeaweedFS": seaweedfs,
    "Azurite": azurite,
    "fake-gcs-server": fake_gcs,
}


class ObjectServers:
    """Servers of objects, each started when it is first asked for, and ended with ``stack``."""

    def __init__(self, stack: ExitStack, new_folder: Callable[[str], Path]) -> None:
        self._stack = stack
        self._new_folder = new_folder
        self._started: dict[str, ObjectStorage] = {}

    def __getitem__(self, name: str) -> ObjectStorage:
        if name not in self._started:
            folder = self._new_folder("objects") / name  # another one after a start that failed
            self._started[name] = self._stack.enter_context(OBJECT_SERVERS[name](folder))
        return self._started[name]


def _with_content_ids(asked: Request, body: bytes) -> bytes:
    """Return ``body`` with a Content-ID for each part of a batch.

    Google does not need them, and its client does not send them; the emulator skips what has none.
    """
    if not asked.target.startswith("/batch/"):
        return body
    parts = body.split(b"Content-Type: application/http\n")
    numbered = (b"Content-ID: <%d>\n%s" % one for one in enumerate(parts[1:]))
    return b"Content-Type: application/http\n".join((parts[0], *numbered))


def credentials(key: Path) -> Any:
    """Return credentials that sign themselves, with the private ``key``, and ask for no token."""
    return Credentials.from_service_account_file(str(key), always_use_jwt_access=True)  # type: ignore[no-untyped-call]  # google-auth has no types


def s3_client(origin: str) -> Any:
    """Return a client for the S3 server at ``origin`` that tries once."""
    return boto3.client(
        "s3",
        endpoint_url=origin,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0}
        ),
    )


def _until_it_answers(ask: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 4 * PATIENCE
    while True:
        try:
            ask()
        except (BotoCoreError, ClientError):  # pragma: no cover
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)
        else:
            return


def site_on(storage: ObjectStorage, site: Site, name: str, settings: str = "") -> Site:
    """``site`` as the variant ``name`` that keeps its files in ``storage``."""
    return site.variant(name, storage.settings() + settings)


_IN_THIS_PROCESS: dict[str, Any] = {}


def storage_of_this_process() -> Any:
    """Return the storage that ``keep_files_in`` was given: this stands for a class in STORAGES."""
    return _IN_THIS_PROCESS["storage"]


def keep_files_in(storage: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the site of this process keep its files in ``storage``."""
    _IN_THIS_PROCESS["storage"] = storage
    backend = f"{__name__}.{storage_of_this_process.__name__}"
    settings.STORAGES = {**settings.STORAGES, "directlinks": {"BACKEND": backend}}
    monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
