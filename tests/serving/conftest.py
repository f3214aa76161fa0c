"""What tests of whole handlers stand on."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.core.handlers import asgi
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import client
from django.urls import clear_script_prefix


@pytest.fixture(autouse=True)
def _requests_in_a_loop_use_this_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each had a thread with a connection of its own, which the test's rows do not reach."""
    monkeypatch.setattr(asgi, "ThreadSensitiveContext", nullcontext)


@pytest.fixture(autouse=True)
def _connections_outlive_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A handler would close the connection that holds the test's transaction; so does Django's
    test client see to it, and must not undo this."""
    monkeypatch.setattr(client, "close_old_connections", lambda **kwargs: None)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _no_script_prefix_stays() -> Iterator[None]:
    """A handler leaves that of its last request to its thread."""
    yield
    clear_script_prefix()
