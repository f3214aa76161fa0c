"""Walking a table step by step."""

from typing import Any

import pytest

from directlinks.models import DirectLink
from directlinks.services import walking
from directlinks.services.walking import in_steps, walk
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("number", "steps", "statements"), [(0, [], 1), (3, [2, 1], 2), (4, [2, 2], 3)]
)
def test_each_row_is_met_once_with_a_statement_for_each_step(
    number: int,
    steps: list[int],
    statements: int,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    monkeypatch.setattr(walking, "STEP", 2)
    links = [DirectLinkFactory() for _ in range(number)]
    with django_assert_num_queries(statements):
        met = list(walk(DirectLink.objects.order_by("-code")))
    assert [len(step) for step in met] == steps
    assert [link for step in met for link in step] == links


def test_the_rows_of_a_step_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "STEP", 2)
    for _ in range(5):
        DirectLinkFactory()
    for step in walk(DirectLink.objects.all()):
        DirectLink.objects.filter(pk__in=[link.pk for link in step]).delete()
    assert not DirectLink.objects.exists()


def test_a_long_list_is_taken_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "STEP", 2)
    assert list(in_steps(iter("abc"))) == [["a", "b"], ["c"]]
    assert list(in_steps([])) == []
