"""What is right on a desk and wrong on the network, each with an id and what to do about it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from pytest_django.fixtures import Settings


def found() -> list[CheckMessage]:
    messages = run_checks(tags=["directlinks"], include_deployment_checks=True)
    # That the site has not chosen how to answer clients: see test_url_checks.py.
    return [message for message in messages if message.id != "directlinks.I001"]


def ids() -> list[str | None]:
    return [message.id for message in found()]


def use_storage(settings: Settings, backend: str, **options: Any) -> None:
    storage = {"BACKEND": backend, "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "directlinks": storage}


def test_a_site_that_says_nothing_has_no_fault() -> None:
    assert found() == []


def test_without_deploy_nothing_is_said(settings: Settings) -> None:
    settings.DIRECTLINKS = {"BASE_URL": "http://example.org"}
    assert run_checks(tags=["directlinks"]) == []
    assert ids() == ["directlinks.W007"]


def test_the_command_says_what_to_do(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DIRECTLINKS = {"BASE_URL": "http://example.org"}
    call_command("check", "--deploy", "--tag", "directlinks")
    shown = capsys.readouterr().err
    assert "(directlinks.W007) Links begin with http:" in shown
    assert 'HINT: Serve links over HTTPS, and use "https:" in DIRECTLINKS["BASE_URL"].' in shown


class TestBaseURL:
    @pytest.mark.parametrize(
        "base",
        ["http://example.org", ["http://example.org"], ["https://a.example", "http://b.example"]],
    )
    def test_plain_http_is_a_warning(self, base: object, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": base}
        assert ids() == ["directlinks.W007"]

    @pytest.mark.parametrize(
        "base", ["https://example.org", ["https://a.example"], "tests.test_addresses.by_user", None]
    )
    def test_anything_else_is_right(self, base: object, settings: Settings) -> None:
        settings.DIRECTLINKS = {"BASE_URL": base}
        assert ids() == []


class TestInlineTypes:
    @pytest.mark.parametrize(
        ("types", "shown"),
        [
            (["text/html"], "text/html"),
            (["image/*"], "image/svg+xml"),
            (["image/png", "*/*+xml"], "application/xhtml+xml, image/svg+xml"),
            (["text/*"], "text/html, text/javascript, text/xml"),
        ],
    )
    def test_active_documents_are_a_warning(
        self, types: list[str], shown: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"INLINE_TYPES": types}
        (fault,) = found()
        assert fault.id == "directlinks.W008"
        assert fault.msg == f"Browsers would show documents that can run scripts: {shown}."

    def test_passive_ones_are_right(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"INLINE_TYPES": ["image/png", "font/*", "text/css"]}
        assert ids() == []


class TestPublicMedia:
    @pytest.mark.parametrize("address", ["/media/", "https://media.example.org/"])
    def test_files_below_a_public_address_are_a_warning(
        self, address: str, settings: Settings
    ) -> None:
        settings.MEDIA_URL = address
        (fault,) = found()
        assert fault.id == "directlinks.W009"
        assert f"has a public address, {address}:" in fault.msg

    def test_a_storage_of_their_own_with_an_address_is_one(self, settings: Settings) -> None:
        backend = "django.core.files.storage.FileSystemStorage"
        use_storage(settings, backend, location="/srv/links", base_url="/links/")
        assert ids() == ["directlinks.W009"]

    def test_following_the_hint_is_right(self, settings: Settings, tmp_path: Path) -> None:
        settings.MEDIA_URL = "/media/"
        backend = "django.core.files.storage.FileSystemStorage"
        use_storage(settings, backend, location=tmp_path / "links")
        assert ids() == []

    def test_a_folder_inside_the_public_one_is_public(self, settings: Settings) -> None:
        settings.MEDIA_URL = "/media/"
        backend = "django.core.files.storage.FileSystemStorage"
        use_storage(settings, backend, location=Path(settings.MEDIA_ROOT) / "links")
        assert ids() == ["directlinks.W009"]

    @pytest.mark.parametrize(
        "backend", ["tests.storages.Bucket", "django.core.files.storage.InMemoryStorage"]
    )
    def test_a_storage_without_files_of_this_machine_is_right(
        self, backend: str, settings: Settings
    ) -> None:
        settings.MEDIA_URL = "/media/"
        use_storage(settings, backend)
        assert ids() == []


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"BASE_URL": 7}, "E008"),
        ({"BASE_URL": [7]}, "E008"),
        ({"INLINE_TYPES": None}, "E011"),
        ({"INLINE_TYPES": [7]}, "E011"),
    ],
)
def test_a_value_that_is_no_value_is_one_error_and_no_crash(
    declared: dict[str, Any], expected: str, settings: Settings
) -> None:
    settings.DIRECTLINKS = declared
    assert ids() == [f"directlinks.{expected}"]
