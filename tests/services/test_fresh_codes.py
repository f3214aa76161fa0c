"""New codes, of which none was ever another link's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from directlinks.core.errors import DirectLinksError
from directlinks.models import DirectLink, FormerCode
from directlinks.services import fresh_codes as module
from directlinks.services.changing import rotate_direct_link
from directlinks.services.changing_many import rotate_direct_links
from directlinks.services.fresh_codes import fresh_codes
from directlinks.services.own_links import make_own_links
from tests.factories import DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _short_codes(settings: Settings) -> None:
    settings.DIRECTLINKS = {"CODE_LENGTH": 4}


@pytest.fixture
def former() -> str:
    """A code that a link had before."""
    return str(FormerCode.objects.create(code="used", link=DirectLinkFactory()).code)


def drawn(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """The codes that are drawn next."""
    dice: Iterator[str] = iter(texts)
    monkeypatch.setattr(module, "new_codes", lambda number: [next(dice) for _ in range(number)])


def test_what_was_used_is_drawn_again(former: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn(monkeypatch, "aaaa", former, "bbbb", former, "cccc")
    assert fresh_codes(3) == ["aaaa", "cccc", "bbbb"]


def test_where_all_are_used_somebody_is_told(former: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "new_codes", lambda number: [former] * number)
    with pytest.raises(DirectLinksError, match="no free code"):
        fresh_codes(2)


def test_long_codes_cost_no_question(settings: Settings, django_assert_num_queries: Any) -> None:
    settings.DIRECTLINKS = {}
    with django_assert_num_queries(0):
        assert len(set(fresh_codes(9))) == 9


def test_no_way_to_a_new_code_leads_to_a_used_one(
    former: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(monkeypatch, former, "mint", former, "turn", former, "many")
    make_own_links([FileFactory()], columns={}, created_by=None)
    rotate_direct_link(DirectLinkFactory(), grace=None, user=None, now=NOW)
    rotate_direct_links([DirectLinkFactory()], grace=None, user=None, now=NOW)
    assert DirectLink.objects.filter(code__in=["mint", "turn", "many"]).count() == 3
    assert not DirectLink.objects.filter(code=former).exists()
