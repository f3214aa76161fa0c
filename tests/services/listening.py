"""Who listens to what happens to links, for as long as a test wants it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.dispatch import Signal

Facts = dict[str, Any]


@contextmanager
def heard_from(signal: Signal) -> Iterator[list[Facts]]:
    """What ``signal`` says meanwhile, beside the signal itself."""
    heard: list[Facts] = []

    def receiver(signal: Signal, **facts: Any) -> None:
        heard.append(facts)

    signal.connect(receiver)
    try:
        yield heard
    finally:
        signal.disconnect(receiver)
