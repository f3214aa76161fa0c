"""What must not happen, whoever asks and whatever they send."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from directlinks.core import codes
from directlinks.core.uris import file_url
from directlinks.delivery import presigning
from directlinks.delivery.headers import disposition
from directlinks.models import DirectLink, File
from tests.api.clients import APIClient
from tests.delivery.buckets import SigningBucket, sign
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.real.programs import needed
from tests.real.servers import Server, free_port, gunicorn, running
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.visitors import ask
from tests.real.web_servers import NGINX
from tests.storages import Bucket

pytestmark = pytest.mark.django_db

LOCAL = [
    "signed.SignedBackend",
    "stream.StreamBackend",
    "handover.AccelBackend",
    "handover.SendfileBackend",
]
BROWSER = {"Accept": "text/html,*/*;q=0.8"}
KEEPING = """
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
DIRECTLINKS = {"REDIRECT_MAX_AGE": 60}
"""
CACHE = """
proxy_cache_path {folder}/cache keys_zone=shared:1m;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass {application};
        proxy_set_header Host $http_host;
        proxy_cache shared;
        add_header X-Cache $upstream_cache_status always;
    }}
}}
"""


@pytest.fixture
def signing_bucket(monkeypatch: pytest.MonkeyPatch) -> SigningBucket:
    """The storage of all contents: on another machine, and it signs its URLs."""
    monkeypatch.setattr(presigning, "_presigners", deepcopy(presigning._presigners))
    presigning.register("tests.delivery.buckets.SigningBucket", sign)
    storage = SigningBucket()
    monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
    return storage


@pytest.fixture(scope="module")
def cached() -> Iterator[tuple[Site, Server]]:
    """A site that allows redirects to be kept, behind an nginx that keeps what it may."""
    program = needed("nginx")
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        folder.chmod(0o755)
        site = new_site(folder / "project", settings=DOCUMENTED_SETTINGS + KEEPING)
        site.manage("migrate", "-v", "0")
        site.add_user("ada")
        application = stack.enter_context(gunicorn(site))
        port = free_port()
        own = CACHE.format(folder=folder, port=port, application=application.origin)
        (folder / "site.conf").write_text(own)
        (folder / "main.conf").write_text(NGINX.format(folder=folder))
        command = [program, "-e", "stderr", "-p", scratch, "-c", str(folder / "main.conf")]
        yield site, stack.enter_context(running(command, port, folder / "nginx.log"))


def visit(link: DirectLink, **headers: str) -> Any:
    return Client().get(link.get_absolute_url(), headers=headers)


def document(link: DirectLink, **headers: str) -> Any:
    """The answer at the end of ``link``, read."""
    response = visit(link, **headers)
    if response.status_code == 302:
        target = response.headers["Location"].removeprefix("http://testserver")
        response = Client().get(target, headers=headers)
    response.getvalue()
    return response


class TestCodes:
    def test_they_are_made_of_thrown_dice_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither of the row nor of the time, or two codes would differ here."""
        first = {"random_bytes": bytes}
        monkeypatch.setattr(codes.generate, "__kwdefaults__", first)
        drawn = []
        for moment in ("2026-11-23T12:00:00Z", "2030-01-01T00:00:00Z"):
            with time_machine.travel(moment, tick=False):
                link = DirectLinkFactory()
                drawn.append(link.code)
                link.file.delete()
        assert drawn == [codes.ALPHABET[0] * 22] * 2


class TestFilesOfOthers:
    @pytest.mark.parametrize(
        "user", ["{pk}", "{pk}:password", "{encoded}", "{name}", "0{pk}", "+{pk}", "{pk}%00"]
    )
    def test_no_spelling_of_their_owner_opens_them(self, user: str) -> None:
        file = FileFactory(path="a.txt")
        key = str(file.owner.pk)
        encoded = "".join(f"%{ord(digit):02X}" for digit in key)
        part = user.format(pk=key, encoded=encoded, name=file.owner.username)
        answer = APIClient(UserFactory()).put(f"cloudreve://{part}@my/a.txt").json()
        (error,) = answer["aggregated_error"].values()
        assert error["code"] in (403, 40016)
        assert not DirectLink.objects.exists()

    def test_nothing_tells_one_that_is_there_from_one_that_is_not(self) -> None:
        owner = FileFactory(path="there.txt").owner
        stranger = APIClient(UserFactory(), **{"X-Request-ID": "0" * 32})
        answers = [
            stranger.put(f"cloudreve://{owner.pk}@my/{name}.txt").content.replace(
                name.encode(), b""
            )
            for name in ("there", "gone")
        ]
        assert answers[0] == answers[1]
        assert owner.username.encode() not in answers[0]


class TestLinksThatEnd:
    @pytest.mark.parametrize("backend", LOCAL)
    def test_one_stops_at_once_while_its_owner_is_inactive(
        self, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {**delivery(backend), "REDIRECT_MAX_AGE": 60}
        link = DirectLinkFactory()
        assert document(link).status_code == 200
        link.file.owner.is_active = False
        link.file.owner.save()
        assert visit(link).status_code == 404

    @pytest.mark.parametrize("fate", ["owner inactive", "paused", "trashed", "deleted"])
    def test_one_stops_at_once_although_a_signed_target_is_known(
        self, fate: str, signing_bucket: SigningBucket
    ) -> None:
        link = DirectLinkFactory()
        other = DirectLinkFactory()
        assert visit(link).headers["Location"].endswith("?signature=1")
        match fate:
            case "owner inactive":
                link.file.owner.is_active = False
                link.file.owner.save()
            case "paused":
                link.paused = True
                link.save()
            case "trashed":
                link.file.trash()
            case _:
                link.file.delete()
        assert visit(link).status_code == 404
        assert len(signing_bucket.wishes) == 1
        assert visit(other).status_code == 302

    @pytest.mark.parametrize("act", ["delete", "trash"])
    def test_with_a_file_end_no_links_of_its_neighbours(self, act: str) -> None:
        owner = UserFactory()
        paths = ["a", "a.txt", "a/b.txt", "ab", "A"]
        links = {path: DirectLinkFactory(file__owner=owner, file__path=path) for path in paths}
        getattr(links["a"].file, act)()
        statuses = {path: visit(link).status_code for path, link in links.items()}
        assert statuses == {"a": 404, "a.txt": 302, "a/b.txt": 302, "ab": 302, "A": 302}


class TestRequestsThatAreTooMuch:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (json.dumps({"uris": ["x"] * 100_000}).encode(), 40074),
            (b'{"uris":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 40001),
            (b'{"uris":[' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}", 40001),
            (b'{"uris":["' + b"a" * 10_000_000 + b'"]}', 413),
        ],
    )
    def test_they_are_refused_before_any_query_but_the_users_row(
        self, body: bytes, code: int
    ) -> None:
        client = APIClient(UserFactory())
        with CaptureQueriesContext(connection) as queries:
            response = client.call("PUT", "file/source", body)
        assert response.json()["code"] == code
        assert len(queries) == 1


class TestPaths:
    @pytest.mark.parametrize(
        "written",
        [
            "folder\\a.txt",
            "folder%5Ca.txt",
            "..%5Cfolder%5Ca.txt",
            "folder%2F%2E%2E%5Cfolder%2Fa.txt",
            "folder/a.txt%00",
            "folder/a.txt%20",
            "folder/a.txt.",
            "folder/A.TXT",
            "folder/%EF%BD%81.txt",
            "folder%252Fa.txt",
            "folder%E2%88%95a.txt",
            "folder/%C0%AE%C0%AE/folder/a.txt",
        ],
    )
    def test_one_that_is_no_spelling_of_a_file_leads_to_none(self, written: str) -> None:
        file = FileFactory(path="folder/a.txt")
        response = APIClient(file.owner).put(f"cloudreve://my/{written}")
        (error,) = response.json()["aggregated_error"].values()
        assert (response.status_code, error["code"]) == (200, 40016)
        assert not DirectLink.objects.exists()

    def test_unicode_that_looks_alike_is_a_link_each(self) -> None:
        owner = UserFactory()
        paths = ["\u00e9.txt", "e\u0301.txt"]
        for path in paths:
            FileFactory(owner=owner, path=path, data=path.encode())
        answer = APIClient(owner).put(*map(file_url, paths)).json()
        found = [Client().get(item["link"]).headers["Location"] for item in answer["data"]]
        bodies = [Client().get(target).getvalue() for target in found]
        assert bodies == [path.encode() for path in paths]


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["a\r\nSet-Cookie: b=c.txt", "a\nb.txt", "a\rb.txt", "a\0b.txt", "\x1b[2J.txt", "\x85.txt"],
    )
    def test_one_with_control_characters_stays_one_line(self, name: str) -> None:
        header = disposition(name, attachment=True)
        assert header.isprintable()
        assert header.isascii()

    @pytest.mark.parametrize("backend", LOCAL)
    @pytest.mark.parametrize(
        ("name", "status"),
        [("a\r\nSet-Cookie: b=c", 200), ("..", 200), ("../a.txt", 404), ("a/b.txt", 404)],
    )
    def test_one_that_only_the_database_could_be_made_to_hold_adds_no_header(
        self, name: str, status: int, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        link = DirectLinkFactory()
        DirectLink.objects.filter(pk=link.pk).update(name=name)
        link.refresh_from_db()
        response = document(link)
        assert response.status_code == status
        assert "Set-Cookie" not in response.headers
        assert all(value.isprintable() for value in response.headers.values())

    @pytest.mark.parametrize("backend", LOCAL)
    def test_one_that_reorders_itself_is_put_straight_whoever_delivers(
        self, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        response = document(DirectLinkFactory(file__path='a"\u202e;fdp.exe'))
        expected = 'attachment; filename="a\\";fdp.exe"'
        assert response.headers["Content-Disposition"] == expected

    def test_no_name_is_longer_than_a_file_system_holds(self) -> None:
        link = DirectLinkFactory(file__path="é" * 127)
        assert len(document(link).headers["Content-Disposition"]) < 800

    @pytest.mark.parametrize("prefix", ["/f/", "/f/d/"])
    @pytest.mark.parametrize("accept", [BROWSER, {}])
    def test_one_that_a_visitor_made_up_is_not_repeated(
        self, prefix: str, accept: dict[str, str]
    ) -> None:
        link = DirectLinkFactory(file__path="a.pdf")
        response = Client().get(f"{prefix}{link.code}/evil%3Cscript%3E.html", headers=accept)
        assert response.status_code == 404
        assert b"evil" not in response.content
        assert "evil" not in str(response.headers)


class TestDocumentsThatCouldAct:
    @pytest.mark.parametrize("backend", LOCAL)
    @pytest.mark.parametrize(
        ("name", "data", "shown"),
        [
            ("a.html", b"<script>", False),
            ("a.xhtml", b"<script>", False),
            ("a.xml", b"<?xml-stylesheet ?>", False),
            ("a.svg", b"<svg onload=''>", False),
            ("a.mhtml", b"MIME-Version: 1.0", False),
            ("a.js", b"alert(1)", False),
            ("a.unheard-of", b"<script>", False),
            ("no-extension", b"<script>", False),
            # Both of what they pretend to be and of something else.
            ("polyglot.html", b"\x89PNG\r\n\x1a\n<script>", False),
            ("polyglot.png", b"\x89PNG\r\n\x1a\n<script>", True),
            ("page.txt", b"<script>", True),
            ("script.pdf", b"%PDF-1.7 /JavaScript", True),
        ],
    )
    def test_they_are_saved_or_shown_as_nothing_but_what_they_are_called(
        self, backend: str, name: str, data: bytes, shown: bool, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        headers = document(DirectLinkFactory(file__path=name, file__data=data)).headers
        assert headers["Content-Disposition"].startswith("inline" if shown else "attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Content-Security-Policy"].endswith("; sandbox")
        assert not shown or "html" not in headers["Content-Type"]

    @pytest.mark.parametrize("header", [{"Accept": "text/html"}, {"Sec-Fetch-Dest": "document"}])
    def test_no_request_makes_a_browser_show_them(self, header: dict[str, str]) -> None:
        link = DirectLinkFactory(file__path="a.html")
        path = f"{link.get_absolute_url()}?response-content-disposition=inline&disposition=inline"
        target = Client().get(path, headers=header).headers["Location"]
        response = Client().get(target.removeprefix("http://testserver"), headers=header)
        response.getvalue()
        assert response.headers["Content-Disposition"] == 'attachment; filename="a.html"'


class TestWhereLinksLead:
    def test_nothing_in_the_request_changes_the_target_of_a_storage(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = Bucket()
        monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
        link = DirectLinkFactory()
        forged = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "javascript",
            "X-Original-URL": "/evil",
            "Forwarded": "host=evil.example",
            "Referer": "https://evil.example/",
            "Origin": "https://evil.example",
        }
        path = f"{link.get_absolute_url()}?url=//evil.example&next=//evil.example&name=evil"
        location = Client().get(path, headers=forged).headers["Location"]
        assert location == storage.url(link.file.content.name)

    @pytest.mark.parametrize(
        ("base", "host", "root"),
        [
            (None, "testserver", "http://testserver/f/"),
            (None, "localhost", "http://localhost/f/"),
            ("https://files.example.org", "localhost", "https://files.example.org/f/"),
        ],
    )
    def test_what_a_client_says_of_a_proxy_does_not_change_how_they_begin(
        self, base: str | None, host: str, root: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"BASE_URL": base}
        file = FileFactory(path="a.txt")
        forged = {
            "Host": host,
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Port": "8443",
            "X-Script-Name": "/evil",
        }
        answer = APIClient(file.owner, **forged).put("cloudreve://my/a.txt").json()
        assert answer["data"][0]["link"].startswith(root)


class TestSharedCaches:
    def test_what_a_limited_link_gave_to_one_is_there_for_nobody_else(
        self, cached: tuple[Site, Server]
    ) -> None:
        site, cache = cached
        (link,) = site.add_links({"once.txt": b"once"}, "max_downloads=1").values()
        answers = [ask("GET", cache.origin + link) for _ in range(2)]
        assert [answer.status for answer in answers] == [302, 410]

    def test_what_an_unlimited_link_gave_may_be_kept(self, cached: tuple[Site, Server]) -> None:
        """Or the test above would hold for a cache that keeps nothing."""
        site, cache = cached
        (link,) = site.add_links({"often.txt": b"often"}).values()
        first, second = (ask("GET", cache.origin + link) for _ in range(2))
        assert first.headers["X-Cache"] == "MISS"
        assert second.headers["X-Cache"] == "HIT"


class TestRanges:
    @pytest.mark.parametrize(
        "header",
        [
            "bytes=" + ",".join(["0-"] * 200),
            "bytes=" + ",".join(f"{first}-{first + 9}" for first in range(200)),
            "bytes=0-0,-1,5-",
            "bytes=5-2",
            "bytes=-",
            "bytes=--5",
            "bytes=0-" + "9" * 5000,
        ],
    )
    @pytest.mark.parametrize("backend", LOCAL[:2])
    def test_one_that_asks_for_more_than_a_part_gives_the_file_once(
        self, header: str, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        response = document(DirectLinkFactory(file__data=b"x" * 1000), Range=header)
        assert response.status_code in (200, 206)
        assert response.headers["Content-Length"] == "1000"
        assert "multipart" not in response.headers["Content-Type"]
