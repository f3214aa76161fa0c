"""The password of a link: what opens it, for how long, and what happens to those who guess."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.datetimes import seconds_of
from directlinks.models import DirectLink
from directlinks.services.changing import rotate_direct_links
from directlinks.serving import passwords
from directlinks.serving.passwords import COOKIES
from directlinks.serving.throttling import count_attempt
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

PASSWORD = "пароль 漢 'quoted'"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def link() -> Any:
    return DirectLinkFactory(file__path="a.txt", password=make_password(PASSWORD))


def visit(
    link: DirectLink, client: Client | None = None, headers: dict[str, str] | None = None
) -> Any:
    return (client or Client()).get(link.get_absolute_url(), headers=headers)


def with_password(password: str) -> dict[str, str]:
    return {"X-Link-Password": password}


def typed(text: str) -> str:
    """``text`` as a program sends it in a header, and as Django then has it."""
    return text.encode().decode("latin-1")


def send_form(link: DirectLink, client: Client, password: str, **headers: str) -> Any:
    return client.post(link.get_absolute_url(), {"password": password}, headers=headers)


def downloads(link: DirectLink) -> int:
    return int(DirectLink.objects.values_list("downloads", flat=True).get(pk=link.pk))


# What is sent in charsets that are none of texts.
ODD_FORM = b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\npw\xff\r\n--B--\r\n'


class TestWithoutThePassword:
    def test_a_program_gets_a_401_with_a_challenge(self, link: Any) -> None:
        answer = visit(link)
        assert (answer.status_code, answer.json()["code"]) == (401, 401)
        assert answer.json()["msg"] == "Password required"
        assert answer.headers["WWW-Authenticate"].startswith("X-Link-Password")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert downloads(link) == 0

    def test_a_person_gets_a_form_that_says_what_it_is_for(self, link: Any) -> None:
        answer = visit(link, headers=BROWSER)
        page = answer.content.decode()
        assert answer.status_code == 401
        assert '<form method="post">' in page
        assert '<label for="password">Password</label>' in page
        assert 'role="alert"' not in page

    def test_no_other_shape_of_request_gets_in(self, link: Any) -> None:
        path = link.get_absolute_url()
        for answer in (
            Client().head(path),
            Client().get(path, headers={"Range": "bytes=0-3"}),
            Client().get(path, headers={"Sec-Purpose": "prefetch"}),
            Client().get(f"{path}?password={PASSWORD}&X-Link-Password={PASSWORD}"),
        ):
            assert answer.status_code == 401

    def test_a_link_that_is_closed_does_not_ask_for_one(self, link: Any) -> None:
        DirectLink.objects.filter(pk=link.pk).update(paused=True)
        assert visit(link).status_code == 404
        assert send_form(link, Client(), PASSWORD).status_code == 404


class TestPrograms:
    def test_the_header_opens_the_link_and_is_counted(self, link: Any) -> None:
        answer = visit(link, headers=with_password(typed(PASSWORD)))
        assert answer.status_code == 302
        assert downloads(link) == 1
        assert "Set-Cookie" not in answer.headers

    def test_a_wrong_one_says_so(self, link: Any) -> None:
        answer = visit(link, headers=with_password("wrong \xff"))
        assert (answer.status_code, answer.json()["msg"]) == (401, "Wrong password")

    def test_a_header_that_is_no_latin_1_is_taken_as_it_is(self, link: Any) -> None:
        assert visit(link, headers=with_password(PASSWORD)).status_code == 302

    def test_the_password_is_not_in_the_log(
        self, link: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        visit(link, headers=with_password("wrong-secret"))
        assert "wrong-secret" not in caplog.text
        assert link.code not in caplog.text


class TestPeople:
    def test_the_form_leads_back_to_the_link_which_then_opens(self, link: Any) -> None:
        client = Client()
        answer = send_form(link, client, PASSWORD)
        assert (answer.status_code, answer.headers["Location"]) == (303, link.get_absolute_url())
        assert downloads(link) == 0
        assert visit(link, client).status_code == 302
        assert downloads(link) == 1

    def test_the_cookies_are_for_this_link_and_for_no_script(self, link: Any) -> None:
        client = Client()
        send_form(link, client, PASSWORD)
        cookies = [client.cookies[name] for name in COOKIES]
        assert [one["path"] for one in cookies] == [f"/f/{link.code}/", f"/f/d/{link.code}/"]
        for cookie in cookies:
            assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
            assert PASSWORD not in cookie.value

    def test_a_wrong_password_brings_the_form_back(self, link: Any) -> None:
        client = Client()
        answer = send_form(link, client, "wrong", **BROWSER)
        page = answer.content.decode()
        assert answer.status_code == 401
        assert 'role="alert"' in page
        assert "wrong" not in page
        assert not client.cookies
        assert visit(link, client).status_code == 401

    def test_another_link_is_not_opened_by_it(self, link: Any) -> None:
        other = DirectLinkFactory(password=link.password)
        client = Client()
        send_form(link, client, PASSWORD)
        for name in COOKIES:
            client.cookies[name]["path"] = "/"
        assert visit(other, client).status_code == 401

    def test_it_ends_when_the_password_changes(self, link: Any) -> None:
        client = Client()
        send_form(link, client, PASSWORD)
        DirectLink.objects.filter(pk=link.pk).update(password=make_password(PASSWORD))
        assert visit(link, client).status_code == 401

    def test_it_ends_when_the_code_is_rotated(self, link: Any) -> None:
        client, former = Client(), link.get_absolute_url()
        send_form(link, client, PASSWORD)
        rotate_direct_links([link], grace=timedelta(hours=1), user=None, now=timezone.now())
        assert client.get(former).status_code == 401
        assert client.post(former, {"password": PASSWORD}).status_code == 303
        assert client.get(former).status_code == 302

    def test_it_ends_after_half_a_day(self, link: Any) -> None:
        client = Client()
        send_form(link, client, PASSWORD)
        with time_machine.travel(seconds_of(timezone.now() + timedelta(hours=11)), tick=False):
            assert visit(link, client).status_code == 302
        with time_machine.travel(seconds_of(timezone.now() + timedelta(hours=13)), tick=False):
            assert visit(link, client).status_code == 401

    @pytest.mark.parametrize("cookie", ["", ".", "1.x", "99999999999.x", "x.y", "99999999999.é"])
    def test_a_made_up_cookie_opens_nothing(self, link: Any, cookie: str) -> None:
        client = Client()
        client.cookies["directlinks_unlocked"] = cookie
        assert visit(link, client).status_code == 401

    def test_a_form_to_a_link_without_a_password_is_a_405(self) -> None:
        answer = send_form(DirectLinkFactory(), Client(), PASSWORD)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("multipart/form-data", b"password"),
            ("multipart/form-data; boundary=\xff", b"password"),
            ("application/x-www-form-urlencoded; charset=utf-16", b"password="),
            *(
                (f"multipart/form-data; boundary=B; charset={charset}", ODD_FORM)
                for charset in ("base64", "hex", "idna", "undefined")
            ),
            (
                "multipart/form-data; boundary=B; charset=utf-7",
                ODD_FORM.replace(b"pw\xff", b"+2AA-"),
            ),
            ("application/x-www-form-urlencoded", b"&a" * 2000),
            ("application/x-www-form-urlencoded", b"password=" + b"a" * 3_000_000),
        ],
    )
    def test_what_is_no_form_is_a_fault_of_the_request(
        self, link: Any, content_type: str, body: bytes
    ) -> None:
        client = Client(raise_request_exception=False)
        path = link.get_absolute_url()
        answer: Any = client.generic("POST", path, body, content_type=content_type)
        assert (answer.status_code, answer.json()["code"]) == (400, 40001)

    def test_a_sender_who_hangs_up_is_no_error_of_the_server(
        self, link: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hung_up(request: Any) -> None:
            raise UnreadablePostError("reset by peer")

        monkeypatch.setattr(WSGIRequest, "_load_post_and_files", hung_up)
        assert send_form(link, Client(), PASSWORD).status_code == 400

    def test_it_also_guards_what_is_to_be_saved(self, link: Any) -> None:
        path = link.get_absolute_url().replace("/f/", "/f/d/")
        client = Client()
        assert client.get(path).status_code == 401
        assert client.post(path, {"password": PASSWORD}).status_code == 303
        assert client.get(path).status_code == 302


class TestGuessing:
    @pytest.fixture(autouse=True)
    def _rate(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"LOGIN_RATE": "3/min"}

    def test_after_as_many_as_the_site_allows_not_even_the_right_one_opens(self, link: Any) -> None:
        with time_machine.travel(1_800_000_010, tick=False):
            for _ in range(3):
                assert visit(link, headers=with_password("wrong")).status_code == 401
            answer = visit(link, headers=with_password(typed(PASSWORD)))
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "50")
            assert send_form(link, Client(), PASSWORD, **BROWSER).status_code == 429
        with time_machine.travel(1_800_000_061, tick=False):
            assert visit(link, headers=with_password(typed(PASSWORD))).status_code == 302

    def test_those_under_way_count_until_they_turn_out_right(
        self, link: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else all who guess at once would be let through before the first has failed."""
        statuses: list[int] = []

        def slow(password: str, encoded: str) -> bool:
            # Another guess comes in meanwhile, as often as guesses are let through.
            statuses.append(visit(link, headers=with_password(typed(PASSWORD))).status_code)
            return password == PASSWORD

        monkeypatch.setattr(passwords, "check_password", slow)
        assert visit(link, headers=with_password("wrong")).status_code == 401
        assert statuses == [429, 302, 302]

    def test_right_ones_are_not_counted(self, link: Any) -> None:
        for _ in range(5):
            assert visit(link, headers=with_password(typed(PASSWORD))).status_code == 302

    def test_all_clients_together_have_a_number_of_wrong_guesses_too(self, link: Any) -> None:
        wrong, right = with_password("wrong"), with_password(typed(PASSWORD))
        guesser = [Client(REMOTE_ADDR=f"198.51.100.{number}") for number in range(11)]
        reader, newcomer = Client(REMOTE_ADDR="192.0.2.7"), Client(REMOTE_ADDR="192.0.2.8")
        person = Client(REMOTE_ADDR="192.0.2.9")
        with time_machine.travel(1_800_000_010, tick=False):
            assert visit(link, reader, headers=right).status_code == 302
            send_form(link, person, PASSWORD)
            statuses = [visit(link, one, wrong).status_code for one in guesser for _ in range(3)]
            assert statuses == [401] * 30 + [429] * 3
            assert visit(link, newcomer, headers=right).status_code == 429
            # Their visitors from before are not shut out: neither a program nor a person.
            assert visit(link, reader, headers=right).status_code == 302
            assert visit(link, person).status_code == 302
            other = DirectLinkFactory(password=link.password)
            assert visit(other, newcomer, headers=right).status_code == 302
            # Nor does one who knew it once have more guesses than others.
            statuses = [visit(link, reader, headers=wrong).status_code for _ in range(4)]
            assert statuses == [401] * 3 + [429]
        with time_machine.travel(1_800_000_061, tick=False):
            assert visit(link, newcomer, headers=right).status_code == 302

    def test_what_is_refused_for_all_does_not_use_up_a_clients_own(self, link: Any) -> None:
        guesser = [Client(REMOTE_ADDR=f"198.51.100.{number}") for number in range(10)]
        newcomer = Client(REMOTE_ADDR="192.0.2.8")
        with time_machine.travel(1_800_000_010, tick=False):
            for one in guesser:
                for _ in range(3):
                    visit(link, one, headers=with_password("wrong"))
            for _ in range(5):
                answer = visit(link, newcomer, headers=with_password(typed(PASSWORD)))
                assert (answer.status_code, answer.headers["Retry-After"]) == (429, "50")
            request = RequestFactory(REMOTE_ADDR="192.0.2.8").get("/")
            scope = f"password of {link.pk} {link.code}"
            assert count_attempt("1/min", request, scope=scope) is not None

    def test_a_site_may_do_without(self, link: Any, settings: Settings) -> None:
        settings.DIRECTLINKS = {"LOGIN_RATE": None}
        wrong = [visit(link, headers=with_password("wrong")).status_code for _ in range(20)]
        assert wrong == [401] * 20
        assert visit(link, headers=with_password(typed(PASSWORD))).status_code == 302

    def test_each_link_and_client_is_counted_for_itself(self, link: Any) -> None:
        for _ in range(3):
            visit(link, headers=with_password("wrong"))
        other = DirectLinkFactory(password=link.password)
        assert visit(other, headers=with_password(typed(PASSWORD))).status_code == 302
        elsewhere = Client(REMOTE_ADDR="192.0.2.7")
        assert visit(link, elsewhere, headers=with_password(typed(PASSWORD))).status_code == 302

    def test_a_link_of_the_same_number_in_another_tenant_is_another(self, link: Any) -> None:
        for _ in range(3):
            visit(link, headers=with_password("wrong"))
        DirectLink.objects.filter(pk=link.pk).update(code="TheOtherTenantsCode123")
        link.refresh_from_db()
        assert visit(link, headers=with_password(typed(PASSWORD))).status_code == 302
