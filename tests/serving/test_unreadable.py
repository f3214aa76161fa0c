"""What a visitor gets of a content that is there and cannot be read."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.serving.doors import same_for_all
from tests.storages import as_another_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def link() -> Any:
    return DirectLinkFactory()


@pytest.mark.parametrize("backend", ["signed_url.SignedURLBackend", "stream.StreamBackend"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", ["named pipe", "unreadable"])
def test_what_cannot_be_read_is_a_404_by_each_entry_point(
    kind: str,
    method: str,
    backend: str,
    link: Any,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.DIRECTLINKS = delivery(backend)
    path = Path(link.file.content.path)
    address = link.get_absolute_url()
    if backend == "signed_url.SignedURLBackend":
        answer = Client().generic(method, address)
        address = answer.headers["Location"].removeprefix("http://testserver")
    if kind == "named pipe":
        path.unlink()
        os.mkfifo(path)
    path.chmod(0)
    with as_another_user() if kind == "unreadable" else nullcontext():
        answers = same_for_all(address, method)
    assert {seen.status for seen in answers.values()} == {404}
    assert caplog.text.count(f"Link {link.pk} has no content") == len(answers)
    assert "Traceback" not in caplog.text
