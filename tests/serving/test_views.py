"""The visitor's door, as a browser, a curl and a scanner see it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.models import DirectLink
from directlinks.serving import views
from directlinks.sql.links import LinkRow
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

PRIVATE = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def visit(link: DirectLink, method: str = "GET", **headers: str) -> Any:
    return Client().generic(method, link.get_absolute_url(), headers=headers)


def downloads(link: DirectLink) -> int:
    return DirectLink.objects.values_list("downloads", flat=True).get(pk=link.pk)


class TestFollowing:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("prefix", ["/f/", "/f/d/"])
    def test_a_link_leads_to_the_bytes(self, method: str, prefix: str) -> None:
        link = DirectLinkFactory()
        path = link.get_absolute_url().replace("/f/", prefix, 1)
        response = Client().generic(method, path)
        assert response.status_code == 302
        assert response.content == b""
        assert response.headers["Content-Length"] == "0"
        assert {name: response.headers[name] for name in PRIVATE} == PRIVATE
        assert "Cookie" not in response.headers.get("Vary", "")
        assert not response.cookies

    def test_nothing_in_the_request_changes_where_it_leads(self) -> None:
        path = DirectLinkFactory().get_absolute_url() + "?url=https://evil.example&next=//x"
        headers = {"X-Forwarded-Host": "evil.example", "X-Original-URL": "/evil"}
        location = Client().get(path, headers=headers).headers["Location"]
        assert location.startswith("/f/t/")
        assert "evil" not in location

    def test_a_host_that_is_not_the_sites_is_a_400(self) -> None:
        assert visit(DirectLinkFactory(), Host="evil.example").status_code == 400

    def test_options_says_what_is_allowed_without_a_query(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            response = Client().options("/f/abcdefgh/x")
        assert response.status_code == 200
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert response.headers["Content-Length"] == "0"
        assert {name: response.headers[name] for name in PRIVATE} == PRIVATE
        assert len(queries) == 0

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
    def test_other_methods_are_a_405_envelope_and_log_no_code(
        self, method: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        link = DirectLinkFactory()
        browser = Client(enforce_csrf_checks=True)
        response: Any = browser.generic(method, link.get_absolute_url())
        assert (response.status_code, response.json()["code"]) == (405, 405)
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert link.code not in caplog.text

    def test_a_visit_is_one_statement_and_that_of_its_day(self) -> None:
        link = DirectLinkFactory()
        with CaptureQueriesContext(connection) as queries:
            visit(link)
        verbs = [query["sql"].split()[0] for query in queries]
        asked = [verb for verb in verbs if verb in ("SELECT", "UPDATE", "INSERT", "WITH")]
        assert (
            asked
            == {
                "sqlite": ["UPDATE", "INSERT"],
                "postgresql": ["WITH"],
                "mysql": ["SELECT", "UPDATE", "INSERT"],
            }[connection.vendor]
        )

    def test_an_uncounted_visit_is_one_read(self) -> None:
        link = DirectLinkFactory()
        with CaptureQueriesContext(connection) as queries:
            visit(link, "HEAD")
        assert len(queries) == 1


class TestCounting:
    def test_it_notes_when_a_link_was_opened_last(self) -> None:
        link = DirectLinkFactory()
        before = timezone.now()
        visit(link)
        link.refresh_from_db()
        assert link.downloads == 1
        assert before <= link.last_opened_at <= timezone.now()

    @pytest.mark.parametrize(
        ("method", "headers", "counted", "limited_status"),
        [
            ("GET", {}, 1, 302),
            ("GET", {"Range": "bytes=0-"}, 1, 302),
            ("GET", {"Range": "bytes=3-"}, 0, 302),
            ("GET", {"Range": "bytes=-3"}, 0, 302),
            ("HEAD", {}, 0, 302),
            ("GET", {"Sec-Purpose": "prefetch;prerender"}, 0, 503),
            ("GET", {"Purpose": "prefetch"}, 0, 503),
            ("GET", {"X-Moz": "prefetch"}, 0, 503),
            ("GET", {"User-Agent": "Slackbot-LinkExpanding 1.0"}, 0, 503),
        ],
    )
    def test_only_what_takes_the_file_counts(
        self, method: str, headers: dict[str, str], counted: int, limited_status: int
    ) -> None:
        link = DirectLinkFactory()
        assert visit(link, method, **headers).status_code == 302
        assert downloads(link) == counted

        limited = DirectLinkFactory(max_downloads=1)
        response = visit(limited, method, **headers)
        assert response.status_code == limited_status
        # Whoever could have had the bytes of a limited link was counted.
        assert downloads(limited) == int(response.status_code == 302 and method == "GET")
        assert ("Location" in response.headers) == (response.status_code == 302)

    def test_a_limit_lets_exactly_so_many_through(self) -> None:
        link = DirectLinkFactory(max_downloads=3)
        assert [visit(link).status_code for _ in range(5)] == [302, 302, 302, 410, 410]
        assert downloads(link) == 3

    def test_the_statement_that_counts_has_the_last_word(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited, unlimited = DirectLinkFactory(max_downloads=1), DirectLinkFactory()
        # Both links are read as open, and used up or revoked before they are counted.
        state = LinkRow.state

        def overtaken(row: LinkRow, now: Any) -> Any:
            seen = state(row, now)
            DirectLink.objects.filter(pk=limited.pk).update(downloads=1)
            DirectLink.objects.filter(pk=unlimited.pk).revoke(now)
            return seen

        monkeypatch.setattr(LinkRow, "state", overtaken)
        whole = {"Range": "bytes=0-"}  # which is read before it is counted
        assert visit(limited, **whole).json()["msg"] == "Direct link used up"
        assert visit(unlimited, **whole).json()["msg"] == "direct link not found"
        assert downloads(limited) == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("limits", "status", "msg"),
        [
            ({"paused": True}, 404, "direct link not found"),
            ({"not_before": timedelta(hours=1)}, 404, "direct link not found"),
            ({"not_before": timedelta(hours=-1)}, 302, None),
            ({"revoked_at": timedelta()}, 404, "direct link not found"),
            ({"expires_at": timedelta(hours=1)}, 302, None),
            ({"expires_at": timedelta()}, 410, "Direct link expired"),
            ({"max_downloads": 0}, 410, "Direct link used up"),
            ({"max_downloads": 1}, 302, None),
            ({"expires_at": timedelta(), "max_downloads": 0}, 410, "Direct link expired"),
            ({"expires_at": timedelta(), "paused": True}, 404, "direct link not found"),
        ],
    )
    def test_each_state_has_its_answer(
        self, limits: dict[str, Any], status: int, msg: str | None
    ) -> None:
        now = timezone.now()
        moments = {
            name: now + value if isinstance(value, timedelta) else value
            for name, value in limits.items()
        }
        link = DirectLinkFactory(**moments)
        response = visit(link)
        assert response.status_code == status
        if msg is not None:
            assert (response.json()["code"], response.json()["msg"]) == (status, msg)
            assert downloads(link) == 0

    def test_what_must_not_be_told_apart_is_the_same_answer(self) -> None:
        headers = {"X-Request-ID": "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"}
        revoked = DirectLinkFactory(revoked_at=timezone.now())
        trashed = DirectLinkFactory()
        trashed.file.trash()
        orphaned = DirectLinkFactory(file__owner__is_active=False)
        misnamed = DirectLinkFactory().get_absolute_url() + "x"
        paths = [link.get_absolute_url() for link in (revoked, trashed, orphaned)]
        paths += [misnamed, "/f/UnknownCode22222222222/a.txt", "/f/short/x", "/f/no"]
        answers = {
            (response.status_code, response.content, tuple(sorted(response.headers.items())))
            for response in (Client().get(path, headers=headers) for path in paths)
        }
        assert len(answers) == 1

    @pytest.mark.parametrize(
        "path",
        [
            "/f/",
            "/f/abc",
            "/f/abc/x",
            "/f/d/abcd",
            "/f/t/abcd",
            "/f/d/abc/x",
            "/f/a.b.c.d/x",
            "/f/abcd%00/x",
            "/f/" + "a" * 65 + "/x",
            "/f/%C3%A9t%C3%A9s/x",
            "/f/abcd/x/y",
            "/f/abcd/a%2Fb.txt",
            "/f/abcd/",
            "/f/d/abcd/x/y",
            "/f//x",
            "/f/%0A",
            "/f/a%0Ab/c/d",
            "/f/abcd%0A/x/y",
        ],
    )
    def test_what_cannot_be_a_link_is_a_404_without_a_query(self, path: str) -> None:
        with CaptureQueriesContext(connection) as queries:
            response = Client().get(path)
        assert (response.status_code, response.json()["code"]) == (404, 404)
        assert {name: response.headers[name] for name in PRIVATE} == PRIVATE
        assert len(queries) == 0

    @pytest.mark.parametrize("name", ["%00", "%0A", "..", "%FF", "a" * 3000, "%ED%A0%80"])
    def test_a_strange_name_is_a_404(self, name: str) -> None:
        link = DirectLinkFactory()
        assert Client().get(f"/f/{link.code}/{name}").status_code == 404

    def test_codes_are_told_apart_by_case(self) -> None:
        link = DirectLinkFactory(code="abcdEFGH2345")
        path = link.get_absolute_url()
        assert Client().get(path.replace("abcdEFGH", "ABCDefgh")).status_code == 404

    def test_a_link_survives_other_settings_for_codes(self, settings: Settings) -> None:
        link = DirectLinkFactory()
        settings.DIRECTLINKS = {"CODE_LENGTH": 40, "CODE_ALPHABET": "-_"}
        assert visit(link).status_code == 302


class TestPages:
    @pytest.mark.parametrize(
        ("limits", "status", "title"),
        [
            ({"paused": True}, 404, "This link does not work"),
            ({"max_downloads": 0}, 410, "This link is no longer valid"),
        ],
    )
    def test_a_browser_gets_a_page_for_people(
        self, limits: dict[str, Any], status: int, title: str
    ) -> None:
        response = visit(DirectLinkFactory(**limits), **BROWSER)
        page = response.content.decode()
        assert response.status_code == status
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert f"<h1>{title}</h1>" in page
        assert '<html lang="en" dir="ltr">' in page
        assert response.headers["Content-Language"] == "en"
        assert "Accept" in response.headers["Vary"]

    def test_a_ticket_that_is_no_more_is_a_page_too(self) -> None:
        response = Client().get("/f/t/nonsense/x", headers=BROWSER)
        assert response.status_code == 403
        assert b"This address cannot be opened" in response.content

    @pytest.mark.parametrize(
        "accept",
        [
            "*/*",
            "application/json",
            "",
            "image/webp,*/*;q=0.8",
            # These, Django cannot read.
            "text/html;q*=bogus'x'%41",
            "text/html;x*=idna'x'%41",
        ],
    )
    def test_programs_get_an_envelope(self, accept: str) -> None:
        response = Client().get("/f/no", headers={"Accept": accept})
        assert response.json()["msg"] == "direct link not found"

    def test_debug_adds_nothing_to_an_error_that_has_no_cause(self, settings: Settings) -> None:
        settings.DEBUG = True
        assert "error" not in Client().get("/f/no").json()


class TestTheLog:
    def test_it_shows_the_beginning_of_a_code_and_no_path(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        link = DirectLinkFactory(paused=True)
        response = visit(link)
        (record,) = caplog.records
        assert record.name == "directlinks"
        assert record.getMessage() == (
            f"Not Found: GET directlinks:open {link.code[:4]}…: direct link not found "
            f"(correlation id {response.json()['correlation_id']})"
        )
        assert vars(record)["correlation_id"] == response.json()["correlation_id"]

    def test_a_range_beyond_the_end_is_not_a_line_of_djangos(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        target = visit(DirectLinkFactory()).headers["Location"]
        assert Client().get(target, headers={"Range": "bytes=99-"}).status_code == 416
        assert not caplog.records

    def test_what_is_no_code_is_not_repeated(self, caplog: pytest.LogCaptureFixture) -> None:
        Client().get("/f/%1b[2J%0A/x")
        (record,) = caplog.records
        assert "\x1b" not in record.getMessage()
        assert "(no code)" in record.getMessage()


class TestWhatNobodyExpects:
    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: Any) -> None:
            raise RuntimeError("out of order")

        monkeypatch.setattr(views, "visit_request_of", broken)

    def test_it_is_an_envelope_and_shows_no_code_to_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        link = DirectLinkFactory()
        response: Any = Client(raise_request_exception=False).get(link.get_absolute_url())
        assert (response.status_code, response.json()["code"]) == (500, -1)
        (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert response.json()["correlation_id"] in record.getMessage()
        assert link.code not in record.getMessage()
        assert record.exc_info is not None

    def test_a_developer_gets_djangos_page(self, settings: Settings) -> None:
        settings.DEBUG = True
        path = DirectLinkFactory().get_absolute_url()
        response = Client(raise_request_exception=False).get(path)
        assert response.status_code == 500
        assert b"out of order" in response.content


def test_a_host_that_is_not_the_sites_is_a_400_without_djangos_middleware_too(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MIDDLEWARE = []
    link = DirectLinkFactory(max_downloads=1)
    assert visit(link, Host="evil.example").status_code == 400
    assert downloads(link) == 0
    assert link.code not in caplog.text
