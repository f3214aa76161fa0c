"""The admin on sites that are set up otherwise: no page fails, no key or address is misspelt."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import include, path
from django.utils import translation
from pytest_django.fixtures import Settings

from directlinks.admin import DirectLinkAdmin, FileAdmin
from directlinks.datetimes import as_stored, in_utc
from directlinks.models import DirectLink, File
from directlinks.services.changing import rotate_direct_link
from tests.admin.pages import DASHBOARD, FILES, LINKS, page_of, press
from tests.admin.test_link_page import EMPTY
from tests.factories import DirectLinkFactory, FileFactory, UserFactory, owner_of
from tests.management.terminals import said

pytestmark = pytest.mark.django_db

SITES: dict[str, dict[str, Any]] = {
    "naive": {"USE_TZ": False, "TIME_ZONE": "Europe/Berlin"},
    "separated": {"USE_THOUSAND_SEPARATOR": True, "LANGUAGE_CODE": "de"},
    "both": {
        "USE_TZ": False,
        "TIME_ZONE": "America/New_York",
        "USE_THOUSAND_SEPARATOR": True,
        "LANGUAGE_CODE": "de",
    },
}
# 02:30 by the clocks of Berlin, for the second time.
TWICE = datetime(2027, 10, 31, 1, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=SITES)
def other_site(request: pytest.FixtureRequest, settings: Settings) -> Iterator[str]:
    for name, value in SITES[request.param].items():
        setattr(settings, name, value)
    with translation.override(settings.LANGUAGE_CODE):
        yield request.param


@pytest.fixture
def link(superuser: User) -> DirectLink:
    """A link with everything that a page could show, and keys that have separators."""
    now = as_stored(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    file = FileFactory(pk=1234, owner=UserFactory(pk=4321))
    link: DirectLink = DirectLinkFactory(pk=2345, file=file, downloads=1234)
    rotate_direct_link(link, grace=None, user=superuser, now=now)
    DirectLink.objects.update(last_opened_at=now, expires_at=now, not_before=now)
    link.refresh_from_db()
    return link


class TestEverySite:
    def test_every_page_leads_to_pages_that_are_there(
        self, browser: Client, other_site: str, link: DirectLink
    ) -> None:
        for page in (LINKS, FILES, DASHBOARD, page_of(link), page_of(link.file)):
            html = browser.get(page).content.decode()
            led = {unescape(href) for href in re.findall(r'href="(/admin/[^"]*)"', html)}
            ours = {href for href in led if "directlinks" in href}
            answers = {href: browser.get(href).status_code for href in ours}
            assert answers == dict.fromkeys(ours, 200)
            assert not re.findall(r'(?:value|href)="[^"]*(?:1.234|2.345|4.321)[^"]*"', html)

    def test_buttons_do_what_they_say(
        self, browser: Client, other_site: str, link: DirectLink
    ) -> None:
        asked = press(browser, page_of(link), "pause_links").content.decode()
        form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked))
        browser.post(LINKS, form)
        press(browser, page_of(link.file), "trash_files")
        link.refresh_from_db()
        assert link.paused
        assert File.objects.get().deleted_at is not None

    def test_links_are_exported(self, browser: Client, other_site: str, link: DirectLink) -> None:
        data = {"action": "export_links", "_selected_action": link.pk}
        text = browser.post(LINKS, data).getvalue().decode()
        assert "2026-11-01T05:30:00+00:00" in text
        assert '"1234"' in text

    def test_commands_create_and_prune(self, other_site: str, link: DirectLink) -> None:
        file = link.file
        user = owner_of(file).username
        for ends in (("--expires-in", "2h"), ("--expires-at", "2999-12-31T18:00")):
            said("directlinks_create", user, file.path, *ends)
        said("directlinks_create", user, file.path, "--expires-at", "2999-12-31T18:00+09:00")
        with pytest.raises(SystemExit, match="1"):  # it found the link that has expired
            said("directlinks_doctor")
        said("directlinks_prune", "--days", "1", "--links", "--bytes")
        assert DirectLink.objects.filter(expires_at__year=2999).count() == 2


class TestTwoEqualHours:
    @pytest.fixture(autouse=True)
    def _berlin(self, settings: Settings) -> None:
        settings.TIME_ZONE = "Europe/Berlin"

    def sent(self, browser: Client, link: DirectLink, **changes: str) -> Any:
        html = browser.get(page_of(link)).content.decode()
        shown = dict(re.findall(r'<input type="text" name="(\w+_[01])" value="([^"]*)"', html))
        return browser.post(page_of(link), {**EMPTY, **shown, **changes})

    @pytest.mark.parametrize("use_tz", [True, False])
    def test_what_is_left_as_it_was_stays(
        self, browser: Client, settings: Settings, use_tz: bool
    ) -> None:
        settings.USE_TZ = use_tz
        link = DirectLinkFactory(expires_at=as_stored(TWICE))
        answer = self.sent(browser, link, label="press")
        assert answer.status_code == 302
        assert DirectLink.objects.values_list("label", "expires_at").get() == (
            "press",
            as_stored(TWICE),
        )

    def test_a_new_time_is_the_first_of_the_two(self, browser: Client, settings: Settings) -> None:
        link = DirectLinkFactory()
        wanted = {"expires_at_0": "2027-10-31", "expires_at_1": "02:30:00"}
        assert self.sent(browser, link, **wanted).status_code == 302
        assert in_utc(DirectLink.objects.get().expires_at) == TWICE.replace(hour=0, microsecond=0)

    @pytest.mark.parametrize("use_tz", [True, False])
    def test_an_hour_that_does_not_exist_is_a_fault(
        self, browser: Client, settings: Settings, use_tz: bool
    ) -> None:
        settings.USE_TZ = use_tz
        wanted = {"expires_at_0": "2027-03-28", "expires_at_1": "02:30:00"}
        answer = self.sent(browser, DirectLinkFactory(), **wanted)
        assert answer.context["adminform"].form.errors == {
            "expires_at": [
                "Clocks are put forward over this time. Enter an earlier or a later one."
            ]
        }


def second_site(*models: Any) -> admin.AdminSite:
    site = admin.AdminSite(name="second")
    for model, model_admin in models:
        site.register(model, model_admin)
    return site


class URLs:
    """Two admin sites, of which the second has but one of our models, or both."""

    def __init__(self, *models: Any) -> None:
        self.urlpatterns = [
            path("admin/", admin.site.urls),
            path("second/", second_site(*models).urls),
            path("", include("directlinks.urls")),
        ]


LINK, FILE = (DirectLink, DirectLinkAdmin), (File, FileAdmin)


class TestSecondAdminSite:
    @pytest.mark.parametrize(
        "models", [[LINK, FILE], [LINK], [FILE]], ids=["both", "links", "files"]
    )
    def test_its_pages_lead_to_its_own(
        self, browser: Client, link: DirectLink, settings: Settings, models: list[Any]
    ) -> None:
        settings.ROOT_URLCONF = URLs(*models)
        pages = []
        if LINK in models:
            pages += [LINKS, DASHBOARD, page_of(link)]
        if FILE in models:
            pages += [FILES, page_of(link.file)]
        for page in pages:
            html = browser.get(page.replace("/admin/", "/second/", 1)).content.decode()
            led = set(re.findall(r'(?:href|action)="(/[^"?#]*)', html))
            assert not [href for href in led if href.startswith("/admin/")]
            ours = {href for href in led if href.startswith("/second/directlinks/")}
            answers = {href: browser.get(href).status_code for href in ours}
            refused = {href for href, status in answers.items() if status != 200}
            assert refused <= {href for href in ours if href.endswith("/create-link/")}  # by POST

    def test_a_link_that_has_no_page_there_leads_back_to_its_file(
        self, browser: Client, settings: Settings
    ) -> None:
        settings.ROOT_URLCONF = URLs(FILE)
        page = page_of(FileFactory()).replace("/admin/", "/second/", 1)
        answer = browser.post(page.replace("/change/", "/create-link/"))
        assert (answer.status_code, answer.headers["Location"]) == (302, page)
        assert DirectLink.objects.count() == 1
