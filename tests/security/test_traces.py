"""What a thousand visitors leave behind: numbers, and nothing of themselves."""

import hashlib
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.datetimes import day_of
from directlinks.models import DailyDownloads, DirectLink
from tests.api.clients import APIClient
from tests.delivery.downloads import delivery
from tests.factories import PASSWORD, DirectLinkFactory, UserFactory
from tests.security.asking import BROWSER, LOCAL

pytestmark = pytest.mark.django_db

VISITORS = 250  # for each delivery
SPOOR = re.compile(r"203\.0\.|2001:db8|Spyglass|elsewhere\.example", re.IGNORECASE)

# What is visited, in which way: paths below a link, or others.
WAYS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "open", {}),
    ("HEAD", "open", {}),
    ("GET", "open", {"Range": "bytes=3-"}),
    ("GET", "open", {"Sec-Purpose": "prefetch"}),
    ("POST", "open", {}),
    ("GET", "limited", {}),
    ("GET", "limited", BROWSER),
    ("GET", "revoked", {}),
    ("GET", "revoked", BROWSER),
    ("GET", "misnamed", {}),
    ("GET", "unknown", {}),
    ("GET", "no code", {}),
    ("GET", "guarded", {}),
    ("GET", "guarded", {"X-Link-Password": "a guess"}),
    ("GET", "guarded", {"X-Link-Password": PASSWORD}),
    ("GET", "embedded", {}),
    ("GET", "lost", {}),
    ("GET", "ticket", {}),
    ("GET", "made-up ticket", {}),
    ("GET", "list", {}),
]


def address(number: int) -> str:
    return f"203.0.{number // 250}.{number % 250}" if number % 2 else f"2001:db8:{number:x}::1"


def who(number: int) -> dict[str, str]:
    """The headers of visitor ``number``, none of which is another's."""
    return {
        "User-Agent": f"Spyglass/{number}",
        "Referer": f"https://elsewhere.example/{number}",
        "X-Forwarded-For": address(number),
        "Forwarded": f'for="{address(number)}"',
        "Accept-Language": "de",
        "Cookie": f"seen=Spyglass{number}",
    }


@pytest.fixture
def links() -> dict[str, DirectLink]:
    links: dict[str, DirectLink] = {
        "open": DirectLinkFactory(),
        "limited": DirectLinkFactory(max_downloads=10),
        "revoked": DirectLinkFactory(revoked_at=timezone.now()),
        "guarded": DirectLinkFactory(password=make_password(PASSWORD)),
        "embedded": DirectLinkFactory(referers="example.org"),
        "asking": DirectLinkFactory(ask_first=True),
        "lost": DirectLinkFactory(),
    }
    lost = links["lost"].file.content
    lost.storage.delete(str(lost))
    return links


@pytest.fixture
def paths(links: dict[str, DirectLink]) -> dict[str, str]:
    addresses = {name: link.get_absolute_url() for name, link in links.items()}
    opened = addresses["open"]
    return {
        **addresses,
        "misnamed": f"{opened}x",
        "unknown": "/f/UnknownCode22222222222/a.txt",
        "no code": "/f/%00/x/y",
        "ticket": Client().get(opened).headers["Location"],
        "made-up ticket": "/f/t/1.ig.9999999999.x/a.txt",
        "list": "/api/v4/file/source",
    }


def rows() -> Iterator[str]:
    """Every row of every table."""
    for model in filter(lambda one: one._meta.managed, apps.get_models()):
        yield from map(str, model._default_manager.values())


def cached() -> str:
    """All keys and values of the cache."""
    cache: Any = caches["default"]
    return str(cache._cache)


class TestAThousandVisitors:
    @pytest.mark.parametrize("backend", LOCAL)
    def test_they_are_in_no_table_no_log_and_no_cache(
        self,
        backend: str,
        links: dict[str, DirectLink],
        paths: dict[str, str],
        settings: Settings,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        caplog.set_level(logging.DEBUG)
        statuses = set()
        for number in range(VISITORS):
            method, place, headers = WAYS[number % len(WAYS)]
            client = Client(REMOTE_ADDR=address(number), raise_request_exception=False)
            answer: Any = client.generic(method, paths[place], headers={**who(number), **headers})
            statuses.add(answer.status_code)
            answer.getvalue()
        assert statuses >= {200, 401, 403, 404, 405, 410}
        assert 500 not in statuses

        digests = [
            hash_(address(number).encode()).hexdigest()
            for number in range(VISITORS)
            for hash_ in (hashlib.md5, hashlib.sha1, hashlib.sha256)
        ]
        logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
        assert logged
        for kept in (*rows(), cached(), logged):
            assert SPOOR.search(kept) is None
            assert not any(digest in kept for digest in digests)
        for link in links.values():
            assert link.code not in logged

    def test_what_is_counted_of_them_is_pruned(self) -> None:
        link = DirectLinkFactory()
        Client().get(link.get_absolute_url())
        DailyDownloads.objects.create(link=link, day="2020-01-01", downloads=7)
        call_command("directlinks_prune", verbosity=0)
        assert [day.day for day in link.days.all()] == [day_of(timezone.now())]

    def test_what_users_leave_goes_with_them(self) -> None:
        """Their files and links; what they did to those of others is nobody's then."""
        user = UserFactory(username="Spyglass", email="Spyglass@example.org", is_staff=True)
        DirectLinkFactory(file__owner=user)
        theirs = DirectLinkFactory(created_by=user)
        APIClient(user).patch(theirs.code, paused=True)
        call = {"uris": [f"cloudreve://{theirs.file.owner.pk}@my/{theirs.file.path}"]}
        APIClient(user).call("PUT", "file/source", call, **{"Idempotency-Key": "Spyglass"})
        assert any(SPOOR.search(row) for row in rows())
        user.delete()
        assert not any(SPOOR.search(row) for row in rows())
        assert theirs in DirectLink.objects.filter(created_by=None)
