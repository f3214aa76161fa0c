"""Django's cache is a Redis that is away: every kind of answer is as before."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.real.redis_servers import redis_server
from tests.real.servers import free_port, gunicorn
from tests.real.sites import DOCUMENTED_SETTINGS, PASSWORD, Site, new_site
from tests.real.visitors import PATIENCE, ask

PRODUCTION = """
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
REST_FRAMEWORK = {"NUM_PROXIES": 1}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""

BUCKET = """
from django.core.files.storage import FileSystemStorage
from directlinks.delivery.presigning import Target, register


def sign(bucket, name, wish):
    return Target(bucket.url(name) + "?signed", wish.seconds, overrides=True, head_only=True)


register("mysite.remote.Bucket", sign, identity=lambda bucket: "one")


class Bucket(FileSystemStorage):
    def path(self, name):
        raise NotImplementedError

    def size(self, name):
        return 4

    def url(self, name):
        return "https://bucket.example/" + name
"""
IN_BUCKET = """
STORAGES = {**globals().get("STORAGES", {}),
    "default": {"BACKEND": "mysite.remote.Bucket"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
"""
STREAM = '"DELIVERY": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}'

DELIVERIES = {"signed": ("", ""), "stream": ("", STREAM), "bucket": (IN_BUCKET, "")}

# The cache of Django's own settings for it: no time-outs of ours.
CACHE = """
CACHES = {{"default": {{
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": "redis://127.0.0.1:{port}/0",
}}}}
DIRECTLINKS = {{"UNKNOWN_RATE": "5/min", "LOGIN_RATE": "5/min", {delivery}}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = new_site(
        tmp_path_factory.mktemp("cache") / "project", settings=DOCUMENTED_SETTINGS + PRODUCTION
    )
    (site.folder / "mysite" / "remote.py").write_text(BUCKET)
    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    return site


@pytest.fixture(scope="module")
def links(site: Site) -> dict[str, str]:
    """The paths of a link, of one with a password and of one that an administrator sees."""
    limits = f'password=__import__("django").contrib.auth.hashers.make_password("{PASSWORD}")'
    return site.add_links({"a.txt": b"data"}) | site.add_links({"secret.txt": b"data"}, limits)


@pytest.fixture(scope="module")
def session(site: Site) -> str:
    """The cookie of an administrator who is logged in."""
    return site.shell(
        "from django.test import Client",
        'User.objects.create_superuser("mia", "mia@example.org", "x")',
        "client = Client()",
        'client.force_login(User.objects.get(username="mia"))',
        'print(client.cookies["sessionid"].value)',
    )


class Client:
    """One visitor, with an address of its own."""

    number = 0

    def __init__(self, origin: str) -> None:
        Client.number += 1
        self.origin = origin
        self.address = f"192.0.2.{Client.number}"

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(method, self.origin + path, body, {"X-Forwarded-For": self.address, **sent})

    def log_in(self, password: str) -> Any:
        body = json.dumps({"email": "ada", "password": password}).encode()
        return self.ask("POST", "/api/v4/session/token", body)


def answers(origin: str, links: dict[str, str], session: str) -> dict[str, Any]:
    """What a new client is told, of each kind of request."""
    client = Client(origin)
    link, secret = links["a.txt"], links["secret.txt"]
    opened = client.ask("GET", link)
    login = client.log_in(PASSWORD)
    token = json.loads(login.body)["data"]["token"]
    mine = {"Authorization": f"Bearer {token['access_token']}"}
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    uris = json.dumps({"uris": ["cloudreve://my/a.txt", "cloudreve://my/none"]}).encode()
    refreshing = json.dumps({"refresh_token": token["refresh_token"]}).encode()
    target = opened.headers["Location"]
    told: dict[str, Any] = {
        "link": opened.status,
        "target": None if target is None else urlsplit(target).path.split("/")[1],
        "bytes": opened.body,
        "head": client.ask("HEAD", link).status,
        "unknown": client.ask("GET", "/f/NoSuchCode2345/x.txt").status,
        "no password": client.ask("GET", secret).status,
        "wrong password": client.ask("GET", secret, X_Link_Password="wrong").status,
        "right password": client.ask("GET", secret, X_Link_Password=PASSWORD).status,
        "wrong form": client.ask("POST", secret, b"password=wrong", **form).status,
        "right form": client.ask("POST", secret, b"password=correct+horse", **form).status,
        "login": login.status,
        "wrong login": client.log_in("wrong").status,
        "put": client.ask("PUT", "/api/v4/file/source", uris, **mine).status,
        "list": client.ask("GET", "/api/v4/file/source", b"", **mine).status,
        "refresh": client.ask("POST", "/api/v4/session/token/refresh", refreshing).status,
        "admin": client.ask(
            "GET", "/admin/directlinks/directlink/", Cookie=f"sessionid={session}"
        ).status,
    }
    if told["target"] == "f":
        path = target.removeprefix(origin)
        told["bytes"] = client.ask("GET", path).body
    return told


def is_limited(origin: str) -> bool:
    """Return True if some of a dozen attempts in a row are refused, by /f/ and by the login."""
    client = Client(origin)
    unknown = [client.ask("GET", f"/f/NoSuchCode{n:04}/x.txt").status for n in range(12)]
    logins = [client.log_in("wrong").status for _ in range(12)]
    assert set(unknown) <= {404, 429}
    assert set(logins) <= {401, 429}
    return 429 in unknown and 429 in logins


def wait_until_limited(origin: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not is_limited(origin):
        assert time.monotonic() < give_up_at
        time.sleep(0.5)


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_every_answer_is_as_before_while_the_cache_is_away_and_limits_come_back_with_it(
    delivery: str, site: Site, links: dict[str, str], session: str, tmp_path: Path
) -> None:
    port = free_port()
    storages, settings = DELIVERIES[delivery]
    chosen = site.variant(delivery, storages + CACHE.format(port=port, delivery=settings))
    began = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(gunicorn(chosen, threads=4))
        never_up = answers(server.origin, links, session)
        assert not is_limited(server.origin)
        with redis_server(tmp_path, port):
            wait_until_limited(server.origin)
            up = answers(server.origin, links, session)
        down = [answers(server.origin, links, session) for _ in range(2)]
        assert not is_limited(server.origin)
        with redis_server(tmp_path, port):
            wait_until_limited(server.origin)
    minutes = 1 + int((time.monotonic() - began) // 60)
    log = (chosen.folder.parent / "gunicorn.log").read_text()

    assert up["link"] == (200 if delivery == "stream" else 302)
    assert up["bytes"] == (b"" if delivery == "bucket" else b"data")
    assert up["target"] == {"signed": "f", "stream": None, "bucket": "directlinks"}[delivery]
    expected = {
        "unknown": 404, "no password": 401, "wrong password": 401, "right password": up["link"],
        "wrong form": 401, "right form": 303, "login": 200, "wrong login": 401, "put": 200,
        "list": 200, "refresh": 200, "admin": 200,
    }  # fmt: skip
    assert up.items() >= expected.items()
    assert [never_up, *down] == [up] * 3
    assert 1 <= log.count("The cache does not work") <= minutes
    assert "Internal Server Error" not in log


@contextmanager
def black_hole() -> Iterator[tuple[int, list[socket.socket]]]:
    """Take connections and never answer, as behind a firewall. Give the port, and what is taken."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        taken: list[socket.socket] = []

        def take() -> None:
            with suppress(OSError):  # it is shut down at the end
                while True:
                    taken.append(opened.enter_context(listener.accept()[0]))

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield listener.getsockname()[1], taken
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_cache_that_never_answers_is_not_asked_at_each_visit(
    site: Site, links: dict[str, str]
) -> None:
    short = '\nCACHES["default"]["OPTIONS"] = {"socket_timeout": 0.5}\n'
    with black_hole() as (port, taken):
        chosen = site.variant("hole", CACHE.format(port=port, delivery="") + short)
        with gunicorn(chosen, threads=4) as server:
            client = Client(server.origin)
            statuses = {client.ask("GET", f"/f/NoSuchCode{n:04}/x.txt").status for n in range(40)}
    assert statuses == {404}
    assert 1 <= len(taken) < 40
