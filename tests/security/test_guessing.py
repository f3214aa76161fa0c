"""Nobody finds a link, or opens one with a password, by trying."""

import hmac
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directlinks.core import codes
from directlinks.models import DirectLink, FormerCode
from tests.factories import DirectLinkFactory
from tests.security.asking import BROWSER, every_door, visit
from tests.serving.doors import Door, Seen

pytestmark = pytest.mark.django_db

NOON = 1_800_000_000
PASSWORD = "correct horse"
REQUEST_ID = {"X-Request-ID": "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"}


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


def path_of(**fields: Any) -> str:
    link: DirectLink = DirectLinkFactory(**fields)
    return link.get_absolute_url()


def path_of_trashed() -> str:
    link: DirectLink = DirectLinkFactory()
    link.file.trash()
    return link.get_absolute_url()


def path_of_former_code() -> str:
    link: DirectLink = DirectLinkFactory()
    former = FormerCode.objects.create(code="Former22222222222222", link=link, until=timezone.now())
    return link.get_absolute_url().replace(link.code, former.code)


def path_of_deleted() -> str:
    link: DirectLink = DirectLinkFactory()
    link.file.delete()
    return link.get_absolute_url()


CLOSED: dict[str, Callable[[], str]] = {
    "unknown": lambda: "/f/UnknownCode22222222222/file.txt",
    "of another name": lambda: path_of() + "x",
    "revoked": lambda: path_of(revoked_at=timezone.now()),
    "revoked and expired": lambda: path_of(revoked_at=timezone.now(), expires_at=timezone.now()),
    "paused": lambda: path_of(paused=True),
    "paused with a password": lambda: path_of(paused=True, password=make_password(PASSWORD)),
    "paused and asking first": lambda: path_of(paused=True, ask_first=True),
    "revoked with referring sites": lambda: path_of(revoked_at=timezone.now(), referers="a.b"),
    "not yet open": lambda: path_of(not_before=timezone.now() + timedelta(days=1)),
    "of an inactive owner": lambda: path_of(file__owner__is_active=False),
    "trashed": path_of_trashed,
    "deleted": path_of_deleted,
    "of a former code": path_of_former_code,
}


class TestLinksThatDoNotOpen:
    @every_door
    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("GET", {}),
            ("GET", BROWSER),
            ("GET", {"Range": "bytes=3-"}),
            ("GET", {"Sec-Purpose": "prefetch"}),
            ("GET", {"X-Link-Password": PASSWORD}),
            ("HEAD", {}),
            ("POST", {}),
        ],
    )
    def test_nothing_tells_one_from_another(
        self, door: Door, method: str, headers: dict[str, str]
    ) -> None:
        """Neither what is answered nor how much was asked for it."""
        door("/f/UnknownCode22222222222/file.txt", method)  # a first visit finds out more
        told: dict[str, tuple[Seen, list[str]]] = {}
        for name, make in CLOSED.items():
            path = make()
            with CaptureQueriesContext(connection) as queries:
                seen = door(path, method, {**headers, **REQUEST_ID})
            told[name] = seen, [query["sql"].split()[0] for query in queries]
        assert told["unknown"][0].status == 404
        assert told == dict.fromkeys(CLOSED, told["unknown"])

    @every_door
    def test_whoever_guesses_is_held_up_and_whoever_follows_links_is_not(self, door: Door) -> None:
        with time_machine.travel(NOON + 20, tick=False):
            now = timezone.now()
            paths = {
                path_of(): 302,
                path_of(expires_at=now): 410,
                path_of(max_downloads=0): 410,
                path_of(password="!"): 401,
            }
            guesses = [door(f"/f/guess{number:04}/a.txt") for number in range(31)]
            assert [guess.status for guess in guesses] == [404] * 30 + [429]
            assert guesses[30].headers["retry-after"] == "40"
            for _ in range(3):
                assert {path: door(path).status for path in paths} == paths


class TestPasswords:
    @pytest.fixture
    def link(self) -> Any:
        with time_machine.travel(NOON, tick=False):
            return DirectLinkFactory(password=make_password(PASSWORD))

    @every_door
    def test_after_ten_wrong_ones_a_link_stays_closed_for_a_while(
        self, door: Door, link: Any
    ) -> None:
        other = path_of(password=link.password)
        right = {"X-Link-Password": PASSWORD}
        path = link.get_absolute_url()
        with time_machine.travel(NOON + 20, tick=False):
            wrong = [door(path, headers={"X-Link-Password": f"{n}"}).status for n in range(10)]
            assert wrong == [401] * 10
            held_up = door(path, headers=right)
            assert (held_up.status, held_up.headers["retry-after"]) == (429, "40")
            assert door(other, headers=right).status == 302
        with time_machine.travel(NOON + 60, tick=False):
            assert door(path, headers=right).status == 302

    @every_door
    def test_another_one_closes_the_link_to_those_who_knew_the_last(
        self, door: Door, link: Any
    ) -> None:
        path = link.get_absolute_url()
        browser = Client()
        browser.post(path, {"password": PASSWORD})
        proof = {"Cookie": f"directlinks_unlocked={browser.cookies['directlinks_unlocked'].value}"}
        assert door(path, headers=proof).status == 302
        link.password = make_password("another horse")
        link.save()
        assert door(path, headers=proof).status == 401
        assert door(path, headers={"X-Link-Password": PASSWORD}).status == 401

    @every_door
    def test_one_in_the_address_opens_nothing(self, door: Door, link: Any) -> None:
        path = f"{link.get_absolute_url()}?password=correct%20horse&X-Link-Password=correct%20horse"
        assert [door(path, method).status for method in ("GET", "HEAD", "POST")] == [401] * 3

    def test_all_that_is_secret_is_compared_in_constant_time(
        self, link: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[bytes] = []

        def compare(one: Any, other: Any) -> bool:
            compared.extend(
                text.encode() if isinstance(text, str) else text for text in (one, other)
            )
            return bool(one == other)

        browser = Client()
        browser.post(link.get_absolute_url(), {"password": PASSWORD})
        ticket = visit(DirectLinkFactory()).headers["Location"]
        for module in (hmac, secrets):
            monkeypatch.setattr(module, "compare_digest", compare)
        proof = browser.cookies["directlinks_unlocked"].value
        signature = ticket.split("/")[3].rpartition(".")[2]
        for ask, secret in (
            (lambda: visit(link, **{"X-Link-Password": PASSWORD}), link.password.encode()),
            (lambda: browser.get(link.get_absolute_url()), proof.partition(".")[2].encode()),
            # Each half of it for itself.
            (lambda: Client().head(ticket), urlsafe_b64decode(f"{signature}=")),
        ):
            compared.clear()
            ask()
            assert b"".join(compared[::2]) == b"".join(compared[1::2]) == secret
