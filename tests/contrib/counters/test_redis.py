"""Counting in Redis, where Redis goes and comes back."""

import sys
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from unittest import mock

import pytest
from django.utils import timezone
from redis import Redis

from directlinks.contrib.counters import deferred
from directlinks.contrib.counters import redis as counting_in_redis
from directlinks.contrib.counters.redis import RedisCounter
from directlinks.models import DirectLink, FlushedBatch
from tests.factories import DirectLinkFactory
from tests.real.redis_servers import redis_server
from tests.real.servers import free_port

pytestmark = pytest.mark.django_db

NewCounter = Callable[[], RedisCounter]


@pytest.fixture(autouse=True)
def _nobody_folds_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "FLUSH_SECONDS", 3600.0)


def count(counter: RedisCounter, link: DirectLink, times: int = 1) -> None:
    for _ in range(times):
        assert counter.count(link.pk, timezone.now())


def downloads(link: DirectLink) -> int:
    link.refresh_from_db()
    return link.downloads


def test_a_download_is_in_redis_before_it_is_in_the_database(redis: NewCounter) -> None:
    counter, link = redis(), DirectLinkFactory()
    count(counter, link, 2)
    assert (downloads(link), counter.pending()) == (0, 2)
    assert redis().flush() == 2  # by the next one
    assert (downloads(link), counter.pending()) == (2, 0)


def test_it_leaves_nothing_in_redis(redis: NewCounter, redis_url: str) -> None:
    counter = redis()
    count(counter, DirectLinkFactory())
    counter.flush()
    with Redis.from_url(redis_url) as server:
        assert list(server.scan_iter(f"{counter._counts.partition(':')[0]}*")) == []


def test_nothing_counted_is_nothing_to_fold(
    redis: NewCounter, django_assert_num_queries: Callable[..., object]
) -> None:
    counter = redis()
    counter.flush()
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        assert counter.flush() == 0


def test_the_batch_is_remembered_for_those_who_read_it_before(redis: NewCounter) -> None:
    counter = redis()
    count(counter, DirectLinkFactory())
    counter.flush()
    assert FlushedBatch.objects.count() == 1


def test_who_finds_nothing_left_to_set_aside_folds_nothing(
    redis: NewCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else renamed the hash after it was seen."""
    counter, other, link = redis(), redis(), DirectLinkFactory()
    count(counter, link)
    exists = counter._redis.exists

    def seen_too_late(key: str) -> int:
        there: int = exists(key)
        other.flush()
        return there

    monkeypatch.setattr(counter._redis, "exists", seen_too_late)
    assert counter.flush() == 0
    assert downloads(link) == 1
    assert counter._redis.smembers(counter._batches) == set()


def test_one_of_all_processes_folds_in_a_turn(redis: NewCounter) -> None:
    assert sorted(redis().is_in_turn() for _ in range(4)) == [False, False, False, True]


def test_sites_that_share_a_redis_have_prefixes(redis: NewCounter, redis_url: str) -> None:
    link = DirectLinkFactory()
    other = RedisCounter(redis_url, prefix="another site")
    count(redis(), link)
    assert other.flush() == 0
    other.close()


class TestDownAndBack:
    def test_nothing_is_lost(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        port, link = free_port(), DirectLinkFactory()
        with redis_server(tmp_path, port) as url:
            counter = RedisCounter(url)
            count(counter, link, 2)
        count(counter, link, 3)
        assert downloads(link) == 3
        with pytest.raises(counter.errors):
            counter.flush()
        (record,) = caplog.records
        assert "The counter 'redis' is left for the database" in record.getMessage()
        with redis_server(tmp_path, port):
            count(counter, link)
            assert downloads(link) == 4  # it is not asked again at once
            counter._breaker.succeeded()
            count(counter, link)
            assert downloads(link) == 4
            assert counter.flush() == 3
            counter.close()
        assert downloads(link) == 7

    def test_one_that_does_not_answer_is_left_after_a_second(self, tmp_path: Path) -> None:
        """As behind a firewall, or swapped out."""
        with redis_server(tmp_path) as url:
            counter, link = RedisCounter(url), DirectLinkFactory()
            count(counter, link)
            with Redis.from_url(url) as other:
                other.client_pause(3000)
            before = timezone.now()
            count(counter, link, 10)
            assert (timezone.now() - before).total_seconds() < 2.5
            assert downloads(link) == 10
            counter.close()

    def test_one_that_is_full_is_left(self, tmp_path: Path) -> None:
        with redis_server(tmp_path) as url, Redis.from_url(url) as other:
            counter, link = RedisCounter(url), DirectLinkFactory()
            other.config_set("maxmemory", 1)
            count(counter, link, 2)
            assert downloads(link) == 2
            counter.close()


def test_without_the_package_it_says_what_to_install() -> None:
    hint = r"pip install 'django-directlinks\[redis\]'"
    with mock.patch.dict(sys.modules, {"redis": None}), pytest.raises(ImportError, match=hint):
        run_path(counting_in_redis.__file__)


def test_an_address_that_is_none_is_a_fault() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisCounter("localhost")
