"""Invoices whose files may have links, for what follows, links and syncs them."""

from collections.abc import Callable
from typing import Any

import pytest

from directlinks.registry import Registration
from tests.factories import UserFactory
from tests.hosts.invoices import make_invoice, registered
from tests.hosts.models import Invoice


@pytest.fixture
def owner() -> Any:
    return UserFactory(username="ada")


@pytest.fixture
def registration(register: Callable[..., None]) -> Registration:
    """The field ``pdf``, whose files belong to the customer's user."""
    register(Invoice, "pdf", owner="customer.user")
    return registered()


@pytest.fixture
def invoice(registration: Registration, owner: Any) -> Invoice:
    return make_invoice(owner)
