"""Where a link leads is said by the site, and by nobody who asks."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks.models import File
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory
from tests.storages import Bucket

pytestmark = pytest.mark.django_db


class TestWhereLinksLead:
    def test_nothing_in_the_request_changes_the_target_of_a_storage(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = Bucket()
        monkeypatch.setattr(File._meta.get_field("content"), "storage", storage)
        link = DirectLinkFactory()
        forged = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "javascript",
            "X-Original-URL": "/evil",
            "Forwarded": "host=evil.example",
            "Referer": "https://evil.example/",
            "Origin": "https://evil.example",
        }
        path = f"{link.get_absolute_url()}?url=//evil.example&next=//evil.example&name=evil"
        location = Client().get(path, headers=forged).headers["Location"]
        assert location == storage.url(link.file.content.name)

    @pytest.mark.parametrize(
        ("base", "host", "root"),
        [
            (None, "testserver", "http://testserver/f/"),
            (None, "localhost", "http://localhost/f/"),
            ("https://files.example.org", "localhost", "https://files.example.org/f/"),
        ],
    )
    def test_what_a_client_says_of_a_proxy_does_not_change_how_they_begin(
        self, base: str | None, host: str, root: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"BASE_URL": base}
        file = FileFactory(path="a.txt")
        forged = {
            "Host": host,
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Port": "8443",
            "X-Script-Name": "/evil",
        }
        answer = APIClient(file.owner, **forged).put("cloudreve://my/a.txt").json()
        assert answer["data"][0]["link"].startswith(root)
