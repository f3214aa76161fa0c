"""Each check of the site's routes has an id of its own, and a test that provokes exactly it."""

from types import ModuleType
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.core.checks import CheckMessage, run_checks
from django.http import HttpResponse
from django.urls import clear_url_caches, include, path, re_path
from django.utils.translation import override
from pytest_django.fixtures import Settings

LINKS = path("", include("directlinks.urls"))
API = path("api/v4/", include("directlinks.api.urls"))


# What answers every address, as the one page of a front end does.
app = HttpResponse

EVERYTHING = re_path(r"^(?P<rest>.*)$", app, name="app")


def found(settings: Settings, *routes: Any, deploy: bool = False) -> list[CheckMessage]:
    """Return what is said of a site with these routes."""
    urls: Any = ModuleType("urls")
    urls.urlpatterns = list(routes)
    settings.ROOT_URLCONF = urls
    clear_url_caches()
    return run_checks(tags=["directlinks"], include_deployment_checks=deploy)


def ids(settings: Settings, *routes: Any) -> list[str | None]:
    return [message.id for message in found(settings, *routes)]


class TestShadows:
    @pytest.mark.parametrize(
        ("route", "shadowed"),
        [
            (EVERYTHING, "/f/Code2345/a.txt"),
            (path("f/<str:code>/<path:name>", app, name="app"), "/f/Code2345/a.txt"),
            (path("f/d/<path:rest>", app, name="app"), "/f/d/Code2345/a.txt"),
            (path("f/t/<path:rest>", app, name="app"), "/f/t/Code2345/a.txt"),
        ],
    )
    def test_a_route_before_ours_that_takes_its_addresses_is_named(
        self, route: Any, shadowed: str, settings: Settings
    ) -> None:
        (message,) = found(settings, route, LINKS)
        assert message.id == "directlinks.W013"
        assert message.msg == f"Links do not open: {shadowed} is answered by app."
        assert message.hint is not None
        assert "before the route" in message.hint

    @pytest.mark.parametrize(
        "routes",
        [
            (LINKS, EVERYTHING),
            (path("f", app), path("f/", app), LINKS),
            (path("files/", include("directlinks.urls")),),
            (path("media/", include("directlinks.urls", namespace="media")),),
        ],
    )
    def test_other_routes_are_no_fault(self, routes: Any, settings: Settings) -> None:
        assert ids(settings, *routes) == []


class TestRoutesBehindTheAPI:
    @pytest.mark.parametrize(
        ("api", "route", "shown"),
        [
            (API, path("api/v4/reports", app), "'api/v4/reports'"),
            (API, re_path(r"^api/v4/reports$", app), "'api/v4/reports$'"),
            (API, path("api/v4/", include([path("reports", app)])), "'api/v4/'"),
            (path("", include("directlinks.api.urls")), path("about", app), "'about'"),
        ],
    )
    def test_the_first_that_the_api_answers_is_named(
        self, api: Any, route: Any, shown: str, settings: Settings
    ) -> None:
        (message,) = found(settings, LINKS, api, path("other", app) if api is API else route, route)
        assert message.id == "directlinks.W015"
        assert f"the route {shown}" in message.msg
        assert ids(settings, LINKS, route, api) == []

    def test_a_site_without_urls_has_none(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = None
        assert "directlinks.W015" not in {m.id for m in run_checks(tags=["directlinks"])}


class TestLanguages:
    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize("language", ["en-us", "de", "en"])
    def test_a_language_prefix_is_a_warning(
        self, settings: Settings, first: bool, language: str
    ) -> None:
        settings.LANGUAGE_CODE = language
        routes = i18n_patterns(LINKS, prefix_default_language=first)
        with override("fr"):
            (message,) = found(settings, *routes)
        shown = f"/{language}/f/Code2345/a.txt" if first else "/f/Code2345/a.txt"
        assert message.id == "directlinks.W014"
        assert f"such as {shown}:" in message.msg
        assert message.hint == 'Move include("directlinks.urls") out of i18n_patterns().'

    def test_a_prefix_that_a_front_end_shadows_has_both_faults(self, settings: Settings) -> None:
        routes = (EVERYTHING, *i18n_patterns(LINKS))
        assert ids(settings, *routes) == ["directlinks.W014", "directlinks.W013"]

    def test_a_site_with_translations_beside_the_links_has_none(self, settings: Settings) -> None:
        assert ids(settings, LINKS, *i18n_patterns(path("news/", app))) == []

    def test_a_site_with_one_language_has_none(self, settings: Settings) -> None:
        settings.LANGUAGE_CODE = "en-us"
        settings.LANGUAGES = [("en-us", "English")]
        assert ids(settings, *i18n_patterns(LINKS, prefix_default_language=False)) == []


@pytest.mark.parametrize(
    "routes",
    [
        (),
        (API,),
        (path("x/", include(([LINKS], "x"))),),
        (re_path("^(?!f/)", include("directlinks.urls")),),
    ],
    ids=["no routes", "the API alone", "another namespace", "behind what excludes them"],
)
def test_a_site_without_the_routes_of_links_is_told(routes: Any, settings: Settings) -> None:
    (message,) = found(settings, *routes)
    assert message.id == "directlinks.W012"
    assert message.hint is not None
    assert "in no other namespace" in message.hint


def test_a_site_without_any_routes_is_told(settings: Settings) -> None:
    del settings.ROOT_URLCONF
    settings.DIRECTLINKS = {}
    messages = run_checks(tags=["directlinks"], include_deployment_checks=True)
    assert [message.id for message in messages] == ["directlinks.W012"]


class TestClients:
    @pytest.mark.parametrize(
        ("declared", "api", "said"),
        [
            ({}, "api/v4/", ["directlinks.I001"]),
            ({"ALWAYS_200": True}, "api/v4/", []),
            ({"ALWAYS_200": False}, "api/v4/", []),
            ({}, "files/api/", []),
        ],
    )
    def test_where_they_call_the_site_chooses_the_status_of_failures(
        self, declared: dict[str, Any], api: str, said: list[str], settings: Settings
    ) -> None:
        settings.DIRECTLINKS = declared
        routes = (LINKS, path(api, include("directlinks.api.urls")))
        assert [message.id for message in found(settings, *routes, deploy=True)] == said

    def test_a_site_without_the_api_has_no_choice(self, settings: Settings) -> None:
        assert found(settings, LINKS, deploy=True) == []
