"""Checks of the site's routes: whether the address of a link leads to a link."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Info
from django.core.checks import Warning as Caution
from django.urls import NoReverseMatch, get_resolver, get_script_prefix, resolve, reverse
from django.utils import translation

from directlinks.conf import conf, site_settings


def check_routes(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """W012, W013 and W014, for what the routes of the site do to links."""
    if conf.root_urlconf is None:
        return [_no_routes()]
    default, *others = conf.languages
    paths = [path for name in ("open", "download", "content") if (path := _path(name, default))]
    if not paths:
        return [_no_routes()]
    messages: list[CheckMessage] = []
    # One other language tells: the languages of a site are many, and loading each takes its time.
    if any(_path("open", other) != paths[0] for other in others[:1]):
        messages.append(
            Caution(
                f"The addresses of links have a language prefix, such as {paths[0]}: each language "
                "gives a link another address, and the fast doors know only one of them.",
                hint='Move include("directlinks.urls") out of i18n_patterns().',
                id="directlinks.W014",
            )
        )
    with translation.override(default):
        shadows = {path: by for path in paths if (by := _shadowed_by(path)) is not None}
    messages += [
        Caution(
            f"Links do not open: {path} is answered by {by}.",
            hint='Move include("directlinks.urls") before the route that takes its addresses.',
            id="directlinks.W013",
        )
        for path, by in list(shadows.items())[:1]
    ]
    return messages


def check_routes_behind_the_api(
    app_configs: Sequence[Any] | None, **kwargs: Any
) -> list[CheckMessage]:
    """W015, for routes of the site that the API answers with 404: it takes all below its prefix."""
    routes = [] if conf.root_urlconf is None else get_resolver(conf.root_urlconf).url_patterns
    messages: list[CheckMessage] = []
    prefix: str | None = None
    for route in routes:
        text = str(route.pattern).removeprefix("^")
        if getattr(route, "app_name", None) == "directlinks-api":
            prefix = text
        elif prefix is not None and text.startswith(prefix):
            messages.append(
                Caution(
                    f"The API answers for the route {text!r}: it takes every path that begins with "
                    f"'/{prefix}'.",
                    hint='Move the route before include("directlinks.api.urls").',
                    id="directlinks.W015",
                )
            )
    return messages[:1]


def check_clients(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """I001, for a site that has an API for Cloudreve's clients and has not chosen how to answer."""
    if "ALWAYS_200" in site_settings() or conf.root_urlconf is None:
        return []
    try:
        api = reverse("directlinks-api:source", conf.root_urlconf)
    except NoReverseMatch:
        return []
    if not api.endswith("/api/v4/file/source"):
        return []
    return [
        Info(
            "The API is where Cloudreve's clients expect it, and its failures have HTTP statuses "
            "of their own, which most of these clients take for a broken connection.",
            hint='Set DIRECTLINKS["ALWAYS_200"] to True for such clients, and to False if the '
            "site's own programs alone call the API.",
            id="directlinks.I001",
        )
    ]


def _no_routes() -> CheckMessage:
    return Caution(
        "ROOT_URLCONF has no URLs of links, without which none can be made.",
        hint='Add path("", include("directlinks.urls")) to it, in no other namespace.',
        id="directlinks.W012",
    )


def _path(name: str, language: str) -> str | None:
    """Return the path of a link without the script prefix; None if the site has no such route."""
    try:
        with translation.override(language):
            path = reverse(f"directlinks:{name}", conf.root_urlconf, args=["Code2345", "a.txt"])
    except NoReverseMatch:
        return None
    return "/" + path.removeprefix(get_script_prefix())


def _shadowed_by(path: str) -> str | None:
    """Return the view that answers ``path``, which some route has, in place of ours."""
    match = resolve(path, conf.root_urlconf)
    return None if match.app_names[-1:] == ["directlinks"] else match.view_name
