"""A temporary content URL of our own: where it leads, and when it dies."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from directlinks.core.signing import Ticket, issue
from directlinks.models import DirectLink
from directlinks.services.changing import rotate_direct_links
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db


def visit(link: DirectLink, method: str = "GET") -> Any:
    return Client().generic(method, link.get_absolute_url())


def target_of(link: DirectLink, method: str = "GET") -> str:
    location: str = visit(link, method).headers["Location"]
    return location


def test_it_names_neither_the_code_nor_the_stored_file() -> None:
    link = DirectLinkFactory()
    location = visit(link).headers["Location"]
    assert location.startswith("/f/t/")
    assert link.code not in location
    assert link.file.content.name not in location


def test_it_follows_the_base_url(settings: Settings) -> None:
    settings.DIRECTLINKS = {"BASE_URL": "https://files.example.org/sub"}
    location = visit(DirectLinkFactory()).headers["Location"]
    assert location.startswith("https://files.example.org/sub/f/t/")


def test_it_needs_neither_a_login_nor_this_host() -> None:
    target = target_of(DirectLinkFactory())
    headers = {"Host": "localhost", "Authorization": "Bearer nonsense"}
    assert Client().get(target, headers=headers).getvalue() == b"some bytes"


def test_it_lives_as_long_as_the_site_says(settings: Settings) -> None:
    settings.DIRECTLINKS = {"TARGET_SECONDS": 60}
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False) as clock:
        target = target_of(DirectLinkFactory())
        clock.shift(59)
        Client().get(target).getvalue()
        clock.shift(1)
        late = Client().get(target)
    assert (late.status_code, late.json()["code"]) == (403, 40005)


def test_it_never_outlives_the_link() -> None:
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False) as clock:
        link = DirectLinkFactory(expires_at=timezone.now() + timedelta(seconds=10))
        target = target_of(link)
        clock.shift(9)
        Client().get(target).getvalue()
        clock.shift(1)
        late = Client().get(target)
    assert (late.status_code, late.json()["code"]) == (403, 40005)


def test_a_link_that_was_made_to_expire_since_answers_410() -> None:
    link = DirectLinkFactory()
    target = target_of(link)
    link.expires_at = timezone.now()
    link.save()
    late = Client().get(target)
    assert (late.status_code, late.json()["msg"]) == (410, "Direct link expired")


@pytest.mark.parametrize("fate", ["revoked", "paused", "trashed", "owner inactive", "deleted"])
def test_it_dies_with_the_link(fate: str) -> None:
    link = DirectLinkFactory()
    target = target_of(link)
    match fate:
        case "revoked":
            DirectLink.objects.filter(pk=link.pk).revoke(timezone.now())
        case "paused":
            link.paused = True
            link.save()
        case "trashed":
            link.file.trash()
        case "owner inactive":
            link.file.owner.is_active = False
            link.file.owner.save()
        case _:
            link.file.delete()
    gone = Client().get(target)
    assert (gone.status_code, gone.json()["msg"]) == (404, "direct link not found")


def test_it_works_again_when_the_file_is_restored() -> None:
    link = DirectLinkFactory()
    target = target_of(link)
    link.file.trash()
    link.file.restore()
    assert Client().get(target).getvalue() == b"some bytes"


def test_the_last_download_of_a_limited_link_can_be_fetched() -> None:
    target = target_of(DirectLinkFactory(max_downloads=1))
    assert Client().get(target).getvalue() == b"some bytes"


def test_any_altered_character_of_the_ticket_is_refused() -> None:
    prefix, ticket, name = target_of(DirectLinkFactory()).rsplit("/", 2)
    for position, character in enumerate(ticket):
        other = "0" if character != "0" else "1"
        altered = ticket[:position] + other + ticket[position + 1 :]
        response = Client().get(f"{prefix}/{altered}/{name}")
        assert (response.status_code, response.json()["code"]) == (403, 40071)


def test_the_name_must_be_the_links_own() -> None:
    target = target_of(DirectLinkFactory(file__path="a.pdf"))
    assert Client().get(target.replace("a.pdf", "evil.html")).status_code == 404


def test_a_ticket_for_headers_of_a_limited_link_gives_no_bytes() -> None:
    target = target_of(DirectLinkFactory(max_downloads=1), "HEAD")
    assert Client().head(target).headers["Content-Length"] == "10"
    refused = Client().get(target)
    assert (refused.status_code, refused.json()["code"]) == (403, 40071)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_ticket_of_an_unlimited_link_gives_headers_and_bytes(method: str) -> None:
    target = target_of(DirectLinkFactory(), method)
    assert Client().head(target).status_code == 200
    assert Client().get(target).getvalue() == b"some bytes"


def test_a_rotated_secret_key_is_good_while_it_is_a_fallback(settings: Settings) -> None:
    target = target_of(DirectLinkFactory())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key of the site, as secret as the first"
    assert Client().get(target).getvalue() == b"some bytes"
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(target).status_code == 403


def test_a_ticket_of_a_link_that_never_was_is_a_404(settings: Settings) -> None:
    ticket = Ticket(link=10**18, attachment=False, head_only=False, expires=10**11)
    text = issue(ticket, settings.SECRET_KEY.encode(), code="abcdEFGH", password="")
    assert Client().get(f"/f/t/{text}/a.txt").status_code == 404


def test_a_false_ticket_is_refused_without_a_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    link = DirectLinkFactory()
    ticket = Ticket(link=link.pk, attachment=False, head_only=False, expires=10**11)
    text = issue(ticket, b"another key", code=link.code, password=link.password)
    with django_assert_num_queries(0):
        refused = Client().get(f"/f/t/{text}/{link.name}")
    assert (refused.status_code, refused.json()["code"]) == (403, 40071)


@pytest.mark.parametrize("change", ["password set", "password changed", "code rotated"])
def test_a_ticket_ends_with_what_it_stands_for(change: str) -> None:
    link = DirectLinkFactory(password=make_password("first") if "changed" in change else "")
    headers = {"X-Link-Password": "first"}
    target = Client().get(link.get_absolute_url(), headers=headers).headers["Location"]
    assert Client().get(target).getvalue() == b"some bytes"
    match change:
        case "code rotated":
            rotate_direct_links([link], grace=None, user=None, now=timezone.now())
        case _:
            link.password = make_password("second")
            link.save()
    refused = Client().get(target)
    assert (refused.status_code, refused.json()["code"]) == (403, 40071)


def test_a_former_code_gives_tickets_that_open() -> None:
    link = DirectLinkFactory()
    former = link.get_absolute_url()
    rotate_direct_links([link], grace=timedelta(hours=1), user=None, now=timezone.now())
    location = Client().get(former).headers["Location"]
    assert Client().get(location.removeprefix("http://testserver")).getvalue() == b"some bytes"


def test_a_type_that_became_active_since_is_not_shown() -> None:
    link = DirectLinkFactory(file__path="a.txt")
    target = target_of(link)
    link.file.content_type = "text/html"
    link.file.save()
    response = Client().get(target)
    response.getvalue()
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(("max_age", "expected"), [(30, 30), (60, 59), (3600, 59)])
def test_a_kept_redirect_never_leads_to_a_dead_ticket(
    max_age: int, expected: int, settings: Settings
) -> None:
    settings.DIRECTLINKS = {"TARGET_SECONDS": 60, "REDIRECT_MAX_AGE": max_age}
    # A ticket dies on a full second, here 59.1 seconds from now.
    with time_machine.travel("2026-11-23T12:00:00.900Z", tick=False) as clock:
        response = visit(DirectLinkFactory())
        assert response.headers["Cache-Control"] == f"public, max-age={expected}"
        clock.shift(expected)
        target = response.headers["Location"]
        assert Client().get(target).getvalue() == b"some bytes"


def test_a_storage_elsewhere_can_be_served_so_too(bucket: Bucket, settings: Settings) -> None:
    settings.DIRECTLINKS = delivery("signed_url.SignedURLBackend")
    link = DirectLinkFactory(file__data=b"0123456789")
    response = Client().get(target_of(link), headers={"Range": "bytes=3-5"})
    assert response.getvalue() == b"345"
    assert bucket.exists(link.file.content.name)
