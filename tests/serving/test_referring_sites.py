"""Links that open from the pages of certain sites: who gets in, and what the others read."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django.fixtures import Settings

from tests.factories import DirectLinkFactory
from tests.pairs import pairwise
from tests.serving.doors import DOORS, Door

pytestmark = pytest.mark.django_db

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)

STREAM = {"DELIVERY": {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}}
# Each with whether it may open a link for example.org.
REFERERS = {
    "https://example.org/page": True,
    "https://cats.example.org/": True,
    "https://example.com/": False,
    "https://example.org.example.com/": False,
}


@pairwise(
    door=DOORS,
    limits=[{}, {"max_downloads": 5}],
    delivery=[{}, STREAM],
    referer=list(REFERERS),
)
def test_a_page_of_another_site_gets_a_403_uncounted(
    door: Door,
    limits: dict[str, Any],
    delivery: dict[str, Any],
    referer: str,
    settings: Settings,
) -> None:
    opens = REFERERS[referer]
    settings.DIRECTLINKS = delivery
    link = DirectLinkFactory(referers="example.org", **limits)
    seen = door(link.get_absolute_url(), headers={"Referer": referer})
    link.refresh_from_db()
    assert (seen.status < 400, link.downloads) == (opens, int(opens))
    if not opens:
        assert seen.status == 403
        assert seen.headers["cache-control"] == "private, no-store"


@every_door
def test_the_password_opens_a_link_from_any_site(door: Door) -> None:
    link = DirectLinkFactory(referers="example.org", password=make_password("secret"))
    for headers, status in (
        ({"Referer": "https://example.org/"}, 401),
        ({"X-Link-Password": "secret"}, 302),
    ):
        assert door(link.get_absolute_url(), headers=headers).status == status


@every_door
def test_the_page_says_what_to_do(door: Door) -> None:
    link = DirectLinkFactory(referers="example.org")
    elsewhere = {"Referer": "https://example.com/", "Accept": "text/html"}
    page = door(link.get_absolute_url(), headers=elsewhere).body.decode()
    assert "This link does not open from another site" in page
