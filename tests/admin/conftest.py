"""Who looks at the admin."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def superuser() -> Any:
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def browser(superuser: Any, client: Client) -> Client:
    """The browser of a superuser."""
    client.force_login(superuser)
    return client
