"""Who tries codes is slowed down; who follows links never is."""

from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache, caches
from django.http import HttpRequest
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks.core.errors import TooManyAttempts
from directlinks.models import FormerCode
from directlinks.serving.throttling import count_attempt, undo_attempt
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

BACKEND = type(caches["default"])
NOON = 1_800_000_000 - 1_800_000_000 % 60


def unknown(number: int, client: Client | None = None) -> Any:
    return (client or Client()).get(f"/f/guess{number:04}/a.txt")


def request_from(address: str, forwarded: str = "") -> HttpRequest:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = address
    if forwarded:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    return request


def is_refused(request: HttpRequest, rate: str | None = "1/min") -> bool:
    try:
        count_attempt(rate, request, scope="test")
    except TooManyAttempts:
        return True
    return False


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOON + 20, tick=False) as standing:
        yield standing


class TestUnknownCodes:
    def test_after_thirty_in_a_minute_the_next_is_told_when_to_come_again(self) -> None:
        assert {unknown(number).status_code for number in range(30)} == {404}
        answer = unknown(30)
        assert (answer.status_code, answer.json()["code"]) == (429, 429)
        assert answer.headers["Retry-After"] == "40"

    def test_links_of_any_state_open_and_close_as_ever(self) -> None:
        for number in range(40):
            unknown(number)
        for limits, status in (({}, 302), ({"max_downloads": 0}, 410), ({"paused": True}, 404)):
            link = DirectLinkFactory(**limits)
            for _ in range(3):
                assert Client().get(link.get_absolute_url()).status_code == status

    def test_links_that_are_dead_never_count(self) -> None:
        link = DirectLinkFactory(max_downloads=0)
        assert {Client().get(link.get_absolute_url()).status_code for _ in range(200)} == {410}
        assert unknown(0).status_code == 404

    def test_a_wrong_name_is_no_guess_at_a_code(self) -> None:
        link = DirectLinkFactory()
        for _ in range(40):
            assert Client().get(f"/f/{link.code}/other.txt").status_code == 404
        assert unknown(0).status_code == 404

    def test_a_wrong_name_of_a_short_code_is_one(self) -> None:
        link = DirectLinkFactory(code="short", name="a.txt")
        wrong = [Client().get(f"/f/short/{number}.txt").status_code for number in range(31)]
        assert wrong == [404] * 30 + [429]
        assert Client().get(link.get_absolute_url()).status_code == 302

    def test_a_code_that_was_taken_from_a_link_is_no_guess(self) -> None:
        link = DirectLinkFactory(name="a.txt")
        for number in range(40):
            FormerCode.objects.create(code=f"former{number:02}", link=link)
            assert Client().get(f"/f/former{number:02}/a.txt").status_code == 404
        assert unknown(0).status_code == 404

    def test_forms_count_too(self) -> None:
        paths = [f"/f/guess{number:04}/a.txt" for number in range(31)]
        statuses = [Client().post(path, {"password": ""}).status_code for path in paths]
        assert statuses == [404] * 30 + [429]

    def test_a_new_minute_is_a_new_chance(self, clock: Any) -> None:
        for number in range(31):
            unknown(number)
        clock.move_to(NOON + 60)
        assert unknown(0).status_code == 404

    def test_another_client_is_not_held_up(self) -> None:
        for number in range(31):
            unknown(number)
        assert unknown(0, Client(REMOTE_ADDR="192.0.2.7")).status_code == 404

    def test_a_site_may_do_without(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"UNKNOWN_RATE": None}
        assert {unknown(number).status_code for number in range(40)} == {404}

    def test_the_cache_holds_no_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept: list[str] = []

        def add(backend: Any, key: str, *rest: Any, **options: Any) -> bool:
            kept.append(key)
            return True

        monkeypatch.setattr(BACKEND, "add", add)
        unknown(0, Client(REMOTE_ADDR="203.0.113.9"))
        assert kept
        assert "203.0.113.9" not in "".join(kept)


class TestClients:
    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::ffff:1", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("fe80::1%eth0", "fe80::2%eth0", True),
            ("192.0.2.1:40000", "192.0.2.1:40001", True),
            ("[2001:db8::1]:40000", "2001:db8::2", True),
            ("", "", True),
            ("unix:", "unix:", True),
        ],
    )
    def test_an_address_is_a_client_and_a_network_of_ipv6_is_one(
        self, one: str, other: str, same: bool
    ) -> None:
        count_attempt("1/min", request_from(one), scope="test")
        assert is_refused(request_from(one))
        assert is_refused(request_from(other)) is same

    def test_a_header_that_anybody_can_send_is_believed_of_no_one(self) -> None:
        count_attempt("1/min", request_from("192.0.2.1", "198.51.100.1"), scope="test")
        assert is_refused(request_from("192.0.2.1", "198.51.100.2"))

    @pytest.mark.parametrize(
        ("proxies", "other", "same"),
        [
            (1, "203.0.113.1, 198.51.100.1", True),
            (1, "198.51.100.1, 198.51.100.2", False),
            (2, "198.51.100.1, 10.0.0.2", True),
            (2, "198.51.100.1", True),
        ],
    )
    def test_behind_proxies_it_is_the_last_that_they_did_not_add(
        self, settings: Settings, proxies: int, other: str, same: bool
    ) -> None:
        settings.REST_FRAMEWORK = {"NUM_PROXIES": proxies}
        first = "198.51.100.1" if proxies == 1 else "198.51.100.1, 10.0.0.1"
        count_attempt("1/min", request_from("10.0.0.9", first), scope="test")
        assert is_refused(request_from("10.0.0.8", other)) is same

    def test_a_cache_that_forgets_begins_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        request = request_from("192.0.2.1")
        monkeypatch.setattr(BACKEND, "add", lambda *args, **kwargs: False)
        count_attempt("1/min", request, scope="test")
        assert is_refused(request)

    def test_what_succeeded_is_taken_back(self) -> None:
        request = request_from("192.0.2.1")
        undo_attempt(count_attempt("1/min", request, scope="test"))
        assert not is_refused(request)
        assert is_refused(request)

    def test_what_was_refused_is_in_nobodys_way(self) -> None:
        request = request_from("192.0.2.1")
        right = [count_attempt("3/min", request, scope="test") for _ in range(3)]
        assert is_refused(request, "3/min")
        assert is_refused(request, "3/min")
        for attempt in right:
            undo_attempt(attempt)
        assert [is_refused(request, "3/min") for _ in range(4)] == [False, False, False, True]

    def test_a_cache_in_files_keeps_long_windows_too(
        self, settings: Settings, tmp_path: Path, clock: Any
    ) -> None:
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
                "LOCATION": str(tmp_path),
            }
        }
        request = request_from("192.0.2.1")
        assert not is_refused(request, "1/hour")
        for _ in range(2):
            clock.shift(1000)
            assert is_refused(request, "1/hour")

    def test_what_the_cache_forgot_needs_no_taking_back(self) -> None:
        attempt = count_attempt("1/min", request_from("192.0.2.1"), scope="test")
        cache.clear()
        undo_attempt(attempt)
        assert not is_refused(request_from("192.0.2.1"))

    def test_without_a_rate_nobody_is_counted(self) -> None:
        undo_attempt(count_attempt(None, request_from("192.0.2.1"), scope="test"))
        assert not is_refused(request_from("192.0.2.1"), None)
        assert not is_refused(request_from("192.0.2.1"))
