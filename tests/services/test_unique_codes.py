"""New codes, of which none was ever another link's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError
from pytest_django.fixtures import Settings

from directlinks.core.errors import DirectLinksError
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, FormerCode
from directlinks.services import changing
from directlinks.services import creating as module
from directlinks.services.changing import rotate_direct_link, rotate_direct_links
from directlinks.services.creating import create_dedicated_links, unique_codes
from tests.factories import DirectLinkFactory, FileFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


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


def test_a_code_that_a_link_had_is_drawn_again(
    former: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(monkeypatch, "aaaa", former, "bbbb", former, "cccc")
    assert unique_codes(3) == ["aaaa", "cccc", "bbbb"]


def test_a_code_that_a_link_has_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    DirectLinkFactory(code="mine")
    drawn(monkeypatch, "mine", "free")
    assert unique_codes(1) == ["free"]


def test_many_are_rotated_again_where_somebody_was_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code becomes another link's after it was found to be free."""
    taken = DirectLinkFactory(code="took").code
    links = DirectLinkFactory.create_batch(2)
    dice = iter([["one1", taken], ["two1", "two2"]])
    monkeypatch.setattr(changing, "unique_codes", lambda number: next(dice))
    assert rotate_direct_links(links, grace=None, user=None, now=NOW) == 2
    assert [link.code for link in links] == ["two1", "two2"]
    assert FormerCode.objects.count() == 2


def test_a_code_that_is_taken_each_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = DirectLinkFactory(code="took").code
    monkeypatch.setattr(changing, "unique_codes", lambda number: [taken])
    with pytest.raises(IntegrityError):
        rotate_direct_links([DirectLinkFactory()], grace=None, user=None, now=NOW)
    assert not FormerCode.objects.exists()


def test_where_all_are_used_somebody_is_told(former: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "new_codes", lambda number: [former] * number)
    with pytest.raises(DirectLinksError, match="no free code"):
        unique_codes(2)


def test_long_codes_cost_no_question(settings: Settings, django_assert_num_queries: Any) -> None:
    settings.DIRECTLINKS = {}
    with django_assert_num_queries(0):
        assert len(set(unique_codes(9))) == 9


def test_no_way_to_a_new_code_leads_to_a_used_one(
    former: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(monkeypatch, former, "mint", former, "turn", former, "many")
    create_dedicated_links([FileFactory()], columns={}, created_by=None)
    rotate_direct_link(DirectLinkFactory(), grace=None, user=None, now=NOW)
    rotate_direct_links([DirectLinkFactory()], grace=None, user=None, now=NOW)
    assert DirectLink.objects.filter(code__in=["mint", "turn", "many"]).count() == 3
    assert not DirectLink.objects.filter(code=former).exists()
