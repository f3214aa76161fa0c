"""Visits, through the usual door or through each of them."""

from typing import Any

import pytest
from django.test import Client

from directlinks.models import DirectLink
from tests.serving.doors import DOORS

# The deliveries of files that are on this machine.
LOCAL = [
    "signed_url.SignedURLBackend",
    "stream.StreamBackend",
    "web_server.AccelBackend",
    "web_server.SendfileBackend",
]
BROWSER = {"Accept": "text/html,*/*;q=0.8"}

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def visit(link: DirectLink, **headers: str) -> Any:
    return Client().get(link.get_absolute_url(), headers=headers)


def document(link: DirectLink, **headers: str) -> Any:
    """The answer at the end of ``link``, read."""
    response = visit(link, **headers)
    if response.status_code == 302:
        response = Client().get(response.headers["Location"], headers=headers)
    response.getvalue()
    return response
