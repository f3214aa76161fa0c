"""``manage.py check --deploy`` in projects of other shapes than ``startproject`` gives them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.sites import Site, new_site

SETTINGS = """
INSTALLED_APPS += ["rest_framework", "rest_framework_simplejwt.token_blacklist", "directlinks"]
MEDIA_ROOT = BASE_DIR / "private"
DIRECTLINKS = {"ALWAYS_200": False}
LANGUAGE_CODE = "en"
"""
LOCALE = 'MIDDLEWARE.insert(2, "django.middleware.locale.LocaleMiddleware")\n'
BEGINNING = """
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path, re_path

links, api = include("directlinks.urls"), include("directlinks.api.urls")
"""
USUAL = 'urlpatterns = [path("", links), path("api/v4/", api)]'
SECOND_ADMIN = """
from directlinks.admin import DirectLinkAdmin, FileAdmin
from directlinks.models import DirectLink, File
second = admin.AdminSite(name="second")
second.register(File, FileAdmin)
second.register(DirectLink, DirectLinkAdmin)
urlpatterns = [path("admin/", admin.site.urls), path("second/", second.urls), path("", links)]
"""

SHAPES = {
    "as documented": ("", USUAL, set()),
    "no ROOT_URLCONF": ("del ROOT_URLCONF\n", "", {"W012"}),
    "below a prefix": ("", 'urlpatterns = [path("files/", links), path("files/api/", api)]', set()),
    "an instance of the namespace": (
        "",
        'urlpatterns = [path("", include("directlinks.urls", namespace="media"))]',
        set(),
    ),
    "another namespace": (
        "",
        'urlpatterns = [path("", include(([path("", links)], "site")))]',
        {"W012"},
    ),
    "FORCE_SCRIPT_NAME": ('FORCE_SCRIPT_NAME = "/portal"\n', USUAL, set()),
    "two admin sites": ("", SECOND_ADMIN, set()),
    "LocaleMiddleware": (LOCALE, USUAL, set()),
    "a language prefix": (LOCALE, 'urlpatterns = i18n_patterns(path("", links))', {"W014"}),
    "a front end before the links": (
        "",
        'urlpatterns = [re_path("^.*$", lambda request: HttpResponse()), path("", links)]',
        {"W013"},
    ),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return new_site(tmp_path_factory.mktemp("shapes") / "site", settings=SETTINGS, urls="")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_checks_say_what_is_amiss_and_nothing_else(shape: str, site: Site) -> None:
    settings, urls, expected = SHAPES[shape]
    name = f"shape{list(SHAPES).index(shape)}"
    Path(site.folder / "mysite" / f"{name}_urls.py").write_text(BEGINNING + urls)
    variant = site.variant(name, f'ROOT_URLCONF = "mysite.{name}_urls"\n{settings}')
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=site.folder,
        env=variant.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    # Django itself has much to say of what startproject writes.
    assert set(re.findall(r"directlinks\.(\w+)\)", checked.stderr)) == expected
