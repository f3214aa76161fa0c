"""The addresses of links."""

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve, set_script_prefix
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from directlinks.addresses import absolute, content_address, link_path, links_begin


def by_user(request: HttpRequest) -> str:
    """A site's own way to find the base URL."""
    return f"https://{request.headers['X-Tenant']}.example.org/"


@pytest.fixture
def _below_a_prefix() -> Iterator[None]:
    set_script_prefix("/below/")
    yield
    set_script_prefix("/")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.txt", "a.txt"),
        ("a b", "a%20b"),
        ("-_.~$&+:=@", "-_.~$&+:=@"),
        ("!'()*,;", "%21%27%28%29%2A%2C%3B"),
        ("a/b", "a%2Fb"),
        ("a?b#c%d", "a%3Fb%23c%25d"),
        ('<b>"', "%3Cb%3E%22"),
        ("新 文件.docx", "%E6%96%B0%20%E6%96%87%E4%BB%B6.docx"),
        ("\\", "%5C"),
    ],
)
def test_a_name_is_quoted_as_a_segment(name: str, shown: str) -> None:
    assert link_path("abcd", name) == f"/f/abcd/{shown}"
    assert content_address("/f/", "ticket", name) == f"/f/t/ticket/{shown}"


@given(name=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_a_link_leads_back_to_its_code_and_name(name: str) -> None:
    path = link_path("abcd", name)
    assert path.isascii()
    assert unquote(path.rpartition("/")[2]) == name


def test_the_routes_know_both_kinds() -> None:
    assert resolve(link_path("abcd", "a")).view_name == "directlinks:open"
    assert resolve(content_address("/f/", "ticket", "a")).view_name == "directlinks:content"


@pytest.mark.usefixtures("_below_a_prefix")
def test_a_site_below_a_prefix_keeps_it() -> None:
    assert link_path("abcd", "a") == "/below/f/abcd/a"
    assert links_begin(RequestFactory().get("/")) == "http://testserver/below/f/"


class TestAbsolute:
    @pytest.mark.parametrize("secure", [False, True])
    def test_the_requests_host_is_the_default(self, secure: bool) -> None:
        request = RequestFactory().get("/", headers={"Host": "localhost:8000"}, secure=secure)
        scheme = "https" if secure else "http"
        assert absolute("/f/a/b", request) == f"{scheme}://localhost:8000/f/a/b"

    def test_a_host_that_is_not_the_sites_is_refused(self) -> None:
        request = RequestFactory().get("/", headers={"Host": "evil.example"})
        with pytest.raises(DisallowedHost):
            absolute("/f/a/b", request)

    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize("base", ["https://files.example.org", "http://localhost:8/below"])
    def test_a_base_url_takes_its_place(self, settings: Settings, base: str, slash: str) -> None:
        settings.DIRECTLINKS = {"BASE_URL": base + slash}
        request = RequestFactory().get("/", headers={"Host": "evil.example"})
        assert absolute("/f/a/b", request) == f"{base}/f/a/b"

    @pytest.mark.parametrize(
        ("host", "base"),
        [
            ("localhost", "http://localhost/below"),
            ("localhost:8000", "https://localhost:8000"),
            ("testserver", "https://testserver"),
            ("127.0.0.1", "https://first.example.org"),
            ("localhost:9", "https://first.example.org"),
        ],
    )
    @pytest.mark.parametrize("kind", [list, tuple])
    def test_of_several_it_is_the_one_with_the_requests_host(
        self, settings: Settings, host: str, base: str, kind: type
    ) -> None:
        several = [
            "https://first.example.org",
            "http://localhost/below/",
            "https://localhost:8000",
            "https://testserver",
        ]
        settings.DIRECTLINKS = {"BASE_URL": kind(several)}
        request = RequestFactory().get("/", headers={"Host": host})
        assert absolute("/f/a/b", request) == f"{base}/f/a/b"

    def test_a_host_that_is_not_the_sites_chooses_none(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": ["https://example.org", "https://evil.example"]}
        request = RequestFactory().get("/", headers={"Host": "evil.example"})
        with pytest.raises(DisallowedHost):
            absolute("/f/a/b", request)

    def test_a_site_may_find_it_by_a_callable(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": f"{__name__}.by_user"}
        request = RequestFactory().get("/", headers={"X-Tenant": "blue"})
        assert absolute("/f/a/b", request) == "https://blue.example.org/f/a/b"

    def test_behind_a_proxy_it_is_what_django_is_told_to_believe(self, settings: Settings) -> None:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost:8443"}
        request = RequestFactory().get("/", headers=headers)
        assert absolute("/f/a/b", request) == "http://testserver/f/a/b"
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        settings.USE_X_FORWARDED_HOST = True
        request = RequestFactory().get("/", headers=headers)
        assert absolute("/f/a/b", request) == "https://localhost:8443/f/a/b"
