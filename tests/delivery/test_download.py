"""Which documents a browser may show."""

import pytest
from pytest_django.fixtures import Settings

from directlinks.checks import ACTIVE_TYPES
from directlinks.delivery.download import is_passive
from tests.delivery.downloads import download


@pytest.mark.parametrize(
    "content_type",
    [
        "image/png",
        "IMAGE/PNG",
        "image/png ; x=y",
        "audio/mpeg",
        "video/mp4",
        "text/plain; charset=utf-8",
        "application/pdf",
    ],
)
def test_what_cannot_act_may_be_shown(content_type: str) -> None:
    assert is_passive(content_type)


@pytest.mark.parametrize(
    "content_type",
    [*ACTIVE_TYPES, "", "nonsense", "text/html; image/png", "image/png2", "x-audio/mpeg"],
)
def test_everything_else_is_a_download(content_type: str) -> None:
    assert not is_passive(content_type)


def test_the_site_says_which(settings: Settings) -> None:
    settings.DIRECTLINKS = {"INLINE_TYPES": ["model/*"]}
    assert is_passive("model/stl")
    assert not is_passive("image/png")


def test_a_download_does_not_change_on_its_way() -> None:
    document = download()
    with pytest.raises(AttributeError):
        document.attachment = True  # type: ignore[misc]  # which is what the type says, too
