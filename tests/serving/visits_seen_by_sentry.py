"""A site with Sentry, in a process of its own: Sentry patches Django for as long as one lives.

It prints what Sentry would send about one visit through the view and one through the WSGI wrapper.
"""

import json
import sys
from typing import Any

import django
import sentry_sdk
from django.test.runner import DiscoverRunner
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.transport import Transport


class MemoryTransport(Transport):
    """It keeps the descriptions of the spans of each transaction instead of sending them."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions: list[list[str]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        transaction: Any = envelope.get_transaction_event()
        spans = [span for span in transaction["spans"] if span["op"] == "db"]
        self.transactions.append([span["description"] for span in spans])


def visited() -> list[list[str]]:
    """Return the spans of the visits."""
    # Models, and so what needs them, can be imported after django.setup() only.
    from tests.factories import DirectLinkFactory  # noqa: PLC0415
    from tests.serving.doors import view, wsgi  # noqa: PLC0415

    path = DirectLinkFactory().get_absolute_url()
    view(path)  # the host is known from now on, and the tests' own statements are over
    transport.transactions.clear()
    assert [door(path).status for door in (view, wsgi)] == [302, 302]
    return transport.transactions


transport = MemoryTransport()

sentry_sdk.init(
    dsn="https://key@sentry.invalid/1",
    transport=transport,
    traces_sample_rate=1.0,
    default_integrations=False,
    auto_enabling_integrations=False,
    integrations=[DjangoIntegration(db_transaction_spans=True)],
)
django.setup()
runner = DiscoverRunner(verbosity=0, interactive=False)
databases = runner.setup_databases()
try:
    sys.stdout.write(json.dumps(visited()))
finally:
    runner.teardown_databases(databases)
