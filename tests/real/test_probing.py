"""What visitors meet at wrong storages: the system check, and what the probe says of each.

Each row is a storage on a real server, or behind a proxy that answers what Amazon would; the table
in docs/commands.md is written from what was said.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.checks import run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from google.oauth2.credentials import Credentials
from pytest_django.fixtures import Settings

from directlinks.models import File
from directlinks.services.probing import MOST_REQUESTS, Probed, probe
from tests.factories import FileFactory
from tests.management.terminals import said
from tests.real.faulty_proxy import Fault, Proxy, Request
from tests.real.object_storage import (
    ACCOUNT,
    AZURE,
    GOOGLE,
    GOOGLE_KEY,
    OBJECT_SERVERS,
    S3,
    ObjectServers,
    ObjectStorage,
    documented,
)
from tests.real.servers import free_port
from tests.real.sites import CHECKOUT

# django-storages asks for the time in a way that Python 3.12 speaks against.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]

PAGE = CHECKOUT / "docs" / "commands.md"
BEGIN, END = "<!-- probes: begin -->\n", "<!-- probes: end -->"
HEADING = "| what is wrong | check | the probe says |\n| --- | --- | --- |\n"
REDIRECT = {"BACKEND": "directlinks.delivery.backends.storage_url.StorageURLBackend"}
WRONG_KEY = "d3Jvbmc="

Answer = Callable[[Request, str], Fault | None]


def code(status: int, name: str, more: str = "") -> Answer:
    """Answer as S3 does if it refuses."""
    body = f"<Error><Code>{name}</Code><Message>no</Message>{more}</Error>".encode()
    return lambda request, origin: Fault(status=status, body=body)


def moved(status: int, place: str) -> Answer:
    """Lead from the proxy to ``place``, in which ``{here}`` is another name of the server."""

    def answer(request: Request, origin: str) -> Fault:
        here = origin.replace("127.0.0.1", "localhost") + request.target
        return Fault(status=status, headers={"Location": place.replace("{here}", here)})

    return answer


def page(request: Request, origin: str) -> Fault:
    return Fault(status=200, headers={"Content-Type": "text/html; charset=utf-8"}, body=b"<html>")


def login(request: Request, origin: str) -> Fault:
    if request.target == "/login":
        return page(request, origin)
    return Fault(status=302, headers={"Location": "/login"})


def circle(request: Request, origin: str) -> Fault:
    return Fault(status=302, headers={"Location": request.target})


def without_ranges(request: Request, origin: str) -> Fault:
    request.headers.pop("Range", None)
    return Fault(
        status=200,
        headers={"Content-Type": "text/plain", "Content-Disposition": SHOWN},
        body=b"some bytes",
    )


def also(**headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, origin: Fault(also=named)


def no_head(request: Request, origin: str) -> Fault | None:
    return Fault(status=405) if request.method == "HEAD" else None


SHOWN = 'attachment; filename="notes.txt"'


@dataclass(frozen=True, slots=True)
class Row:
    """A wrong storage on ``server``, or at ``server`` behind a proxy that gives ``answer``.

    ``options`` and ``declared`` are what is wrong in STORAGES and DIRECTLINKS; ``seen`` are options
    that the checks see in their place, for what only Amazon's own servers would do.
    """

    what: str
    server: str
    checks: list[str]
    kinds: list[str]
    options: dict[str, Any] = field(default_factory=dict)
    declared: dict[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    seen: dict[str, Any] = field(default_factory=dict)
    backend: str | None = None
    off_by: timedelta = timedelta(0)
    seconds: float = 10.0


AMAZON = {"endpoint_url": None}
ROWS = [
    # S3
    Row("S3: wrong `secret_key`", "SeaweedFS", [], ["signature"], {"secret_key": "wrong"}),
    Row("S3: wrong `access_key`", "SeaweedFS", [], ["credentials"], {"access_key": "wrong"}),
    Row(
        "S3: `access_key` without `secret_key`",
        "SeaweedFS",
        ["E039"],
        ["signature"],
        {"secret_key": None},
    ),
    Row(
        "S3: no keys, and none in the environment",
        "SeaweedFS",
        [],
        ["no-url"],
        {"access_key": None, "secret_key": None},
    ),
    Row("S3: no such bucket", "SeaweedFS", [], ["bucket"], {"bucket_name": "no-bucket"}),
    Row(
        "S3: `querystring_auth` is `False`",
        "SeaweedFS",
        ["W016"],
        ["unsigned"],
        {"querystring_auth": False},
    ),
    Row(
        "S3: `custom_domain` without a signer",
        "SeaweedFS",
        ["W017"],
        ["unsigned"],
        {"custom_domain": "{host}/links", "url_protocol": "http:"},
    ),
    Row(
        "S3: `signature_version` is not set", "SeaweedFS", ["W010"], [], {"signature_version": None}
    ),
    Row(
        "S3: `TARGET_SECONDS` above 7 days",
        "SeaweedFS",
        ["E038"],
        ["signature"],
        declared={"TARGET_SECONDS": 7 * 24 * 3600 + 1},
    ),
    Row(
        "S3: temporary credentials, and `TARGET_SECONDS` of a day",
        "proxy",
        ["W018"],
        ["credentials"],
        {"security_token": "ended"},
        {"TARGET_SECONDS": 24 * 3600},
        answer=code(400, "ExpiredToken"),
    ),
    Row(
        "S3: `region_name` is not set",
        "proxy",
        ["W019"],
        ["region"],
        {"region_name": None},
        answer=code(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
        seen=AMAZON,
    ),
    Row(
        "S3: `addressing_style` is not set",
        "proxy",
        ["W020"],
        ["region"],
        {"addressing_style": None},
        answer=moved(307, "{here}"),
        seen=AMAZON,
    ),
    Row("S3: wrong region", "proxy", [], ["region"], answer=code(301, "PermanentRedirect")),
    Row("S3: the clock is an hour behind", "SeaweedFS", [], ["clock"], off_by=timedelta(hours=-1)),
    Row("S3: the clock is an hour ahead", "SeaweedFS", [], ["clock"], off_by=timedelta(hours=1)),
    Row(
        "S3: the clock is wrong, and the server does not say its time",
        "proxy",
        [],
        ["clock"],
        answer=code(403, "RequestTimeTooSkewed"),
    ),
    Row("S3: the key may not read", "proxy", [], ["access"], answer=code(403, "AccessDenied")),
    Row(
        "S3: the URL has ended",
        "proxy",
        [],
        ["clock"],
        answer=code(403, "AccessDenied", "Request has expired"),
    ),
    Row(
        "S3: the object is archived",
        "proxy",
        [],
        ["archived"],
        answer=code(403, "InvalidObjectState"),
    ),
    Row("S3: slow down", "proxy", [], ["outage"], answer=code(503, "SlowDown")),
    Row("S3: the object is gone", "proxy", [], ["missing"], answer=code(404, "NoSuchKey")),
    # Azure
    Row(
        "Azure: no option beside account, key and container",
        "Azurite",
        [],
        [],
        {"expiration_secs": None},
    ),
    Row("Azure: wrong `account_key`", "Azurite", [], ["access"], {"account_key": WRONG_KEY}),
    Row("Azure: no such container", "Azurite", [], ["bucket"], {"azure_container": "no-container"}),
    Row(
        "Azure: neither key nor token",
        "Azurite",
        ["E039"],
        ["no-url"],
        {"account_key": None, "connection_string": f"BlobEndpoint={{origin}}/{ACCOUNT}"},
    ),
    Row(
        "Azure: neither key, token nor `expiration_secs`",
        "Azurite",
        ["W016"],
        ["unsigned"],
        {
            "account_key": None,
            "connection_string": f"BlobEndpoint={{origin}}/{ACCOUNT}",
            "expiration_secs": None,
        },
    ),
    Row(
        "Azure: a shared access signature in place of the key",
        "Azurite",
        ["E041"],
        ["unsigned"],
        {
            "account_key": None,
            "connection_string": f"BlobEndpoint={{origin}}/{ACCOUNT};SharedAccessSignature=sig=s",
            "expiration_secs": None,
        },
    ),
    # Google
    Row(
        "Google: `querystring_auth` is `False`",
        "fake-gcs-server",
        ["W016"],
        ["disposition"],
        {"querystring_auth": False},
    ),
    Row(
        "Google: credentials that are a token alone",
        "fake-gcs-server",
        ["E039"],
        ["no-url"],
        {"credentials": Credentials("token")},  # type: ignore[no-untyped-call]  # google-auth has no types
    ),
    Row(
        "Google: `TARGET_SECONDS` above 7 days",
        "fake-gcs-server",
        ["E038"],
        ["no-url"],
        declared={"TARGET_SECONDS": 7 * 24 * 3600 + 1},
    ),
    # Others
    Row(
        "FTP, SFTP: no `base_url`",
        "SeaweedFS",
        ["E040"],
        ["no-url"],
        {"location": "ftp://me:secret@127.0.0.1:1/"},
        backend="storages.backends.ftp.FTPStorage",
    ),
    Row(
        "a local folder with `StorageURLBackend`, and a path as `base_url`",
        "SeaweedFS",
        ["E040"],
        ["no-url"],
        {"base_url": "/links/"},
        {"DELIVERY": REDIRECT},
        backend="django.core.files.storage.FileSystemStorage",
    ),
    Row(
        "a local folder with `StorageURLBackend`, and a `base_url` at which nothing is served",
        "SeaweedFS",
        [],
        ["unsigned"],
        {"base_url": "{origin}/nothing/"},
        {"DELIVERY": REDIRECT},
        backend="django.core.files.storage.FileSystemStorage",
    ),
    # The way there
    Row("no such host", "SeaweedFS", [], ["dns"], {"endpoint_url": "http://nowhere.invalid"}),
    Row("nothing answers", "SeaweedFS", [], ["connection"], {"endpoint_url": "{closed}"}),
    Row(
        "the connection is closed", "proxy", [], ["connection"], answer=lambda *_: Fault(reset=True)
    ),
    Row(
        "no answer in time",
        "proxy",
        [],
        ["timeout"],
        answer=lambda *_: Fault(delay=1.5),
        seconds=0.5,
    ),
    Row("no TLS at an address of `https:`", "SeaweedFS", [], ["tls"], {"endpoint_url": "{tls}"}),
    Row(
        "`http:`, and the site is `https:`",
        "SeaweedFS",
        ["W021"],
        ["plain-http"],
        declared={"BASE_URL": "https://files.example.org"},
    ),
    Row(
        "a host that is not in `REDIRECT_HOSTS`",
        "SeaweedFS",
        [],
        ["no-url"],
        declared={"REDIRECT_HOSTS": ["files.example.org"]},
    ),
    Row("a page that asks to log in", "proxy", [], ["login-page"], answer=page),
    Row("a redirect to such a page", "proxy", [], ["login-page"], answer=login),
    Row("redirects in a circle", "proxy", [], ["redirect"], answer=circle),
    Row(
        "a redirect to another scheme",
        "proxy",
        [],
        ["redirect"],
        answer=moved(302, "ftp://a.example/"),
    ),
    Row("ranges are ignored", "proxy", [], ["ranges"], answer=without_ranges),
    Row(
        "the type is changed on the way",
        "proxy",
        [],
        ["type"],
        answer=also(Content_Type="text/css"),
    ),
    Row(
        "the disposition is changed on the way",
        "proxy",
        [],
        ["disposition"],
        answer=also(Content_Disposition="inline"),
    ),
    Row("an encoding is stored", "proxy", [], ["encoding"], answer=also(Content_Encoding="gzip")),
    Row(
        "the content was changed", "proxy", [], ["size"], answer=also(Content_Range="bytes 1-2/99")
    ),
    Row("`HEAD` is refused", "proxy", [], ["head"], answer=no_head),
]


class Servers:
    """The servers of all modules, and ``proxy``, which stands before SeaweedFS."""

    def __init__(self, stack: ExitStack, shared: ObjectServers) -> None:
        self._stack = stack
        self._shared = shared
        self._behind: ObjectStorage | None = None
        self.proxies: dict[str, Proxy] = {}

    def __getitem__(self, name: str) -> ObjectStorage:
        if name != "proxy":
            return self._shared[name]
        if self._behind is None:
            behind = self._shared["SeaweedFS"].behind_proxy()
            self._behind, self.proxies[name] = self._stack.enter_context(behind)
        return self._behind


@pytest.fixture(scope="module")
def servers(object_servers: ObjectServers) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack, object_servers)


@pytest.fixture(autouse=True)
def no_credentials_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)


class Place:
    """The storage ``directlinks`` of this process, with a file in it."""

    def __init__(
        self, servers: Servers, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.servers = servers
        self._settings = settings
        self._environment = monkeypatch

    def use(self, entry: dict[str, Any]) -> None:
        self._settings.STORAGES = {**self._settings.STORAGES, "directlinks": entry}

    def declare(self, declared: dict[str, Any]) -> None:
        self._settings.DIRECTLINKS = declared

    def use_server(self, name: str) -> ObjectStorage:
        """Let the storage be that of the server ``name``, as it should be, and return that."""
        objects = self.servers[name]
        if objects.key is not None:
            self._environment.setenv("STORAGE_EMULATOR_HOST", objects.origin)
        self.use(objects.entry())
        return objects

    def with_file(self, name: str) -> ObjectStorage:
        """Store a file on the server ``name``, and return that."""
        objects = self.use_server(name)
        file = FileFactory(path="notes.txt")
        # The field took its storage when the models were loaded.
        stored = storages["directlinks"].save(str(file.content), ContentFile(b"some bytes"))
        File.objects.filter(pk=file.pk).update(content=stored)
        return objects


@pytest.fixture
def place(servers: Servers, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(servers, settings, monkeypatch)


def filled_in(options: dict[str, Any], origin: str) -> dict[str, Any]:
    host = origin.partition("://")[2]
    words = {"{origin}": origin, "{host}": host, "{tls}": f"https://{host}"}
    words["{closed}"] = f"http://127.0.0.1:{free_port()}"

    def full(value: Any) -> Any:
        for word, meant in words.items():
            value = value.replace(word, meant) if isinstance(value, str) else value
        return value

    return {name: full(value) for name, value in options.items()}


def ids() -> list[str]:
    return [
        str(message.id).removeprefix("directlinks.") for message in run_checks(tags=["directlinks"])
    ]


def entry(row: Row, objects: ObjectStorage, options: dict[str, Any]) -> dict[str, Any]:
    if row.backend is not None:
        return {"BACKEND": row.backend, "OPTIONS": options}
    return objects.entry(**options)


@contextmanager
def wrong(row: Row, place: Place) -> Iterator[None]:
    """Make the storage as wrong as ``row`` has it."""
    with ExitStack() as stack:
        objects = place.with_file(row.server)
        place.use(entry(row, objects, filled_in(row.options, objects.origin)))
        place.declare(row.declared)
        if (answer := row.answer) is not None:
            proxy, origin = place.servers.proxies["proxy"], place.servers["SeaweedFS"].origin
            before = proxy.judge
            proxy.judge = lambda request: answer(request, origin)
            stack.callback(setattr, proxy, "judge", before)
        if row.off_by:
            stack.enter_context(time_machine.travel(timezone.now() + row.off_by))
        yield


def only(probes: Iterator[Probed]) -> Probed:
    (probed,) = probes
    return probed


LINES: dict[str, str] = {}


def line_of(row: Row, place: Place) -> str:
    """Return the line of the table for ``row``, once it was seen to be as wrong as it should."""
    if row.what in LINES:
        return LINES[row.what]
    with wrong(row, place):
        probed = only(probe(seconds=row.seconds))
        if row.seen:
            place.use(entry(row, place.servers[row.server], {**row.options, **row.seen}))
        checks = ids()
    assert ([fault.kind for fault in probed.faults], checks) == (row.kinds, row.checks)
    assert probed.requests <= MOST_REQUESTS
    said = " ".join(f"{fault.kind}: {fault.message} {fault.cure}" for fault in probed.faults)
    said = re.sub(r"https?://(127\.0\.0\.1|localhost):\d+[^\s,:]*", "(address)", said)
    said = re.sub(r"(ValueError): .*?\. Give", r"\1: (the words of its library). Give", said)
    if row.off_by:
        said = re.sub(r"\b(59|61) minutes", "60 minutes", said)
    known = ", ".join(f"`{check}`" for check in row.checks) or "-"
    LINES[row.what] = f"| {row.what} | {known} | {said or 'nothing: links open'} |\n"
    return LINES[row.what]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_is_wrong_is_told(row: Row, place: Place) -> None:
    assert row.what in line_of(row, place)


def test_the_page_has_what_was_said(place: Place) -> None:
    table = HEADING + "".join(line_of(row, place) for row in ROWS)
    before, rest = PAGE.read_text().split(BEGIN)
    seen, after = rest.split(END)
    if os.environ.get("PROBES_TABLE"):  # pragma: no cover
        PAGE.write_text(before + BEGIN + table + END + after)
    else:
        assert seen == table


@pytest.mark.parametrize("server", OBJECT_SERVERS)
def test_a_right_storage_has_no_fault(server: str, place: Place) -> None:
    place.use_server(server)
    before = only(probe())
    assert (before.path, before.faults, before.requests) == (None, [], 1)
    place.with_file(server)
    after = only(probe())
    assert (after.path, after.requests) == ("notes.txt", 2)
    # rclone answers a range by 200, as docs/delivery.md shows.
    assert [fault.kind for fault in after.faults] == (["ranges"] if server == "rclone" else [])


def test_a_page_in_place_of_nothing_is_told(place: Place) -> None:
    place.use_server("proxy")
    with place.servers.proxies["proxy"].failing(Fault(status=200, body=b"<html>")):
        assert [fault.kind for fault in only(probe()).faults] == ["login-page"]


def test_the_server_gets_no_more_requests_than_are_told(place: Place) -> None:
    place.with_file("proxy")
    with place.servers.proxies["proxy"].counting() as requests:
        probed = only(probe())
    assert [request.method for request in requests] == ["GET", "HEAD"]
    assert probed.requests == 2


@pytest.mark.parametrize("backend", [S3, AZURE, GOOGLE])
def test_the_examples_of_the_page_have_no_fault(
    backend: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_ACCOUNT_KEY", WRONG_KEY)
    key = place.servers["fake-gcs-server"].key
    place.use({"BACKEND": backend, "OPTIONS": documented(backend, key=str(key or GOOGLE_KEY))})
    assert ids() == []


def test_a_bucket_that_is_missing_is_told_before_there_is_a_file(place: Place) -> None:
    place.use(place.servers["SeaweedFS"].entry(bucket_name="no-bucket"))
    assert [fault.kind for fault in only(probe()).faults] == ["bucket"]


def test_the_command_says_a_line_for_each_fault_and_one_for_each_storage(place: Place) -> None:
    place.with_file("SeaweedFS")
    assert said("directlinks_doctor", "--probe") == (
        "Storage directlinks: notes.txt asked for; requests: 2, faults: 0.\n"
    )
    assert File.objects.count() == 1
