"""Deleting what is being visited: links are locked before the counts of their days."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.deletion import Collector
from django.test.utils import CaptureQueriesContext

from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.services.pruning import delete_in_steps
from directlinks.sql import get_link_queries
from tests.factories import DirectLinkFactory, UserFactory, owner_of

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


def collected(link: DirectLink) -> None:
    """As somebody deletes who does not say what."""
    collector = Collector(using="default")
    collector.collect([link])
    collector.delete()


WAYS: dict[str, Callable[[list[DirectLink]], Any]] = {
    "a link": lambda links: links[0].delete(),
    "a file": lambda links: links[0].file.delete(),
    "a user": lambda links: owner_of(links[0].file).delete(),
    "links": lambda links: DirectLink.objects.filter(file__owner=links[0].file.owner).delete(),
    "files": lambda links: File.objects.order_by("-pk").delete(),
    "users": lambda links: type(owner_of(links[0].file)).objects.all().delete(),
    "in steps": lambda links: list(delete_in_steps(DirectLink.objects.all())),
    "by a collector": lambda links: collected(links[0]),
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_they_are_locked_at_once_and_before_their_days(way: str) -> None:
    owner = UserFactory()
    links = DirectLinkFactory.create_batch(3, file__owner=owner)
    for link in links:
        link.days.create(day=date(2026, 5, 4), downloads=1)
    with CaptureQueriesContext(connection) as captured:
        WAYS[way](links)
    assert not DirectLink.objects.filter(pk=links[0].pk).exists()
    statements = [query["sql"] for query in captured.captured_queries]
    locks = [place for place, sql in enumerate(statements) if "FOR UPDATE" in sql]
    if not connection.features.has_select_for_update:
        assert locks == []
        return
    days = [n for n, sql in enumerate(statements) if sql.startswith("DELETE") and "daily" in sql]
    assert len(locks) == 1
    assert locks[0] < days[0]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_each_other_for_ever() -> None:
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one lock for all, so nobody waits for anybody in two orders")
    links = DirectLinkFactory.create_batch(12)
    keys = [link.pk for link in links]
    is_over = threading.Event()

    def visit() -> None:
        try:
            while not is_over.is_set():
                for key in keys:
                    get_link_queries().count(key, NOW, date(2026, 5, 4))
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        visitors = [pool.submit(visit) for _ in range(4)]
        try:
            for place in range(0, 12, 3):
                DirectLink.objects.filter(pk__in=keys[place : place + 3]).delete()
        finally:
            is_over.set()
        for visitor in visitors:
            visitor.result()
    assert not DirectLink.objects.exists()
