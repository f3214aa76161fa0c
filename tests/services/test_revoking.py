"""Revoking a link, for good."""

from datetime import UTC, datetime
from typing import Any

import pytest

from directlinks.core.error_codes import ErrorCode
from directlinks.core.errors import InvalidParameters, NotYourLink
from directlinks.models import DirectLink
from directlinks.services.revoking import find_direct_link, revoke_direct_link
from tests.factories import DirectLinkFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize("code", ["", "abc", "a" * 65, "ab/d", "abcd\n", "äbcd", "ab d", "abc\x00"])
def test_what_is_no_code_is_a_fault_of_the_request(
    code: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0), pytest.raises(InvalidParameters) as caught:
        find_direct_link(code)
    assert (caught.value.code, caught.value.msg) == (
        ErrorCode.INVALID_PARAMETERS,
        "Failed to parse object ID",
    )


def test_a_link_is_found_with_its_file(django_assert_num_queries: Any) -> None:
    link = DirectLinkFactory()
    with django_assert_num_queries(1):
        found = find_direct_link(link.code)
        assert (found, found.file) == (link, link.file)


@pytest.mark.parametrize(
    "limit", [{"paused": True}, {"expires_at": NOW}, {"max_downloads": 0}, {"not_before": NOW}]
)
def test_a_link_that_does_not_open_can_be_revoked_all_the_same(limit: dict[str, Any]) -> None:
    link = DirectLinkFactory(**limit)
    assert find_direct_link(link.code) == link


@pytest.mark.parametrize("code", ["ABCD", "abcde", "abc-"])
def test_a_code_that_only_looks_alike_is_another(code: str) -> None:
    DirectLinkFactory(code="abcd")
    with pytest.raises(NotYourLink):
        find_direct_link(code)


def test_revoking_keeps_the_row_and_ends_the_reuse() -> None:
    link = DirectLinkFactory(name="a", reuse_name="a")
    other = DirectLinkFactory(name="a", reuse_name="a")
    revoke_direct_link(link, now=NOW)
    assert DirectLink.objects.filter(pk=link.pk, revoked_at=NOW, reuse_name=None).exists()
    assert DirectLink.objects.reusable().get() == other


def test_a_revoked_link_is_found_no_more() -> None:
    link = DirectLinkFactory()
    revoke_direct_link(link, now=NOW)
    with pytest.raises(NotYourLink):
        find_direct_link(link.code)


def test_whoever_comes_second_is_told() -> None:
    link = DirectLinkFactory()
    revoke_direct_link(link, now=NOW)
    with pytest.raises(NotYourLink):
        revoke_direct_link(link, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert DirectLink.objects.get().revoked_at == NOW
