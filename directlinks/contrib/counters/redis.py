"""Counting in Redis, from where each second is added to the database."""

import secrets
from datetime import timedelta
from typing import Any

try:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry
except ImportError as error:
    raise ImportError(f"{error}: pip install 'django-directlinks[redis]'") from error

from directlinks.contrib.counters.deferred import DeferredCounter, Totals, flush_batch

# After which a Redis that does not answer counts as gone. The URL may say otherwise.
TIMEOUT_SECONDS = 1

# As long as one process has flushed for all, others need not.
TURN_MILLISECONDS = 900


class RedisCounter(DeferredCounter):
    """Every download that was granted is in Redis before its answer leaves: in one command.

    All processes of a site increment the fields of one hash, each for a link and a second. About
    once a second one of them gives the hash a name of its own and adds it to the database. Sites
    that share a Redis need a ``prefix`` each; the braces keep the keys together in a cluster.
    """

    kind = "redis"
    errors = (RedisError,)
    remembered = timedelta(days=2)

    def __init__(self, url: str, prefix: str = "{directlinks}") -> None:
        super().__init__()
        if not (isinstance(url, str) and url and isinstance(prefix, str) and prefix):
            raise ValueError(
                "The url and the prefix of Redis must be texts, neither of them empty."
            )
        # No retries: an increment whose answer was lost may have been made.
        self._redis: Any = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )
        pool = self._redis.connection_pool
        # It makes one and does not connect: options that the URL has made up are refused here.
        pool.make_connection()
        options = pool.connection_kwargs
        if options.get("decode_responses") or options.get("encoding", "utf-8") != "utf-8":
            raise ValueError("The url of Redis must not say how answers are decoded.")
        self._counts = f"{prefix}:counts"
        self._batches = f"{prefix}:batches"
        self._turn = f"{prefix}:turn"

    def note(self, link_id: int, seconds: int) -> None:
        self._redis.hincrby(self._counts, f"{link_id}:{seconds}", 1)

    def flush_all(self) -> int:
        self._set_aside()
        return sum(map(self._flush, self._redis.smembers(self._batches)))

    def pending(self) -> int:
        batches = map(self._key_of, self._redis.smembers(self._batches))
        counts = [times for key in (self._counts, *batches) for times in self._redis.hvals(key)]
        return sum(map(int, counts))

    def close(self) -> None:
        super().close()
        self._redis.close()

    def is_in_turn(self) -> bool:
        # It saves the others work: two that flush at once do no harm.
        return bool(self._redis.set(self._turn, 1, nx=True, px=TURN_MILLISECONDS))

    def _set_aside(self) -> None:
        """Make what is counted a batch, to which nothing will be added, and put it on the list."""
        if not self._redis.exists(self._counts):
            return
        name = secrets.token_hex(16).encode()
        # Both or neither: a batch is on the list only once it exists. If another process was
        # faster, nothing is left to rename, and the name stands for a batch without counts.
        with self._redis.pipeline(transaction=True) as together:
            together.rename(self._counts, self._key_of(name))
            together.sadd(self._batches, name)
            together.execute(raise_on_error=False)

    def _flush(self, name: bytes) -> int:
        key = self._key_of(name)
        totals = Totals()
        for field, times in self._redis.hgetall(key).items():
            link_id, seconds = field.split(b":")
            totals.add(int(link_id), int(seconds), int(times))
        added = flush_batch(f"{self.kind}/{name.decode()}", totals)
        with self._redis.pipeline(transaction=True) as together:
            together.delete(key)
            together.srem(self._batches, name)
            together.execute()
        return added

    def _key_of(self, name: bytes) -> str:
        return f"{self._batches}:{name.decode()}"
