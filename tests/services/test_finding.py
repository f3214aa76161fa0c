"""A link by its code, for whoever manages it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils.connection import ConnectionDoesNotExist
from pytest_django.fixtures import Settings

from directlinks.core.errors import ErrorCode, InvalidParameters, NotYourLink
from directlinks.datetimes import as_stored
from directlinks.services.finding import find_direct_link
from directlinks.services.revoking import revoke_direct_link
from tests.factories import DirectLinkFactory
from tests.services.replicas import Replicas

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


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
def test_a_link_that_does_not_open_is_found_all_the_same(limit: dict[str, Any]) -> None:
    link = DirectLinkFactory(**limit)
    assert find_direct_link(link.code) == link


@pytest.mark.parametrize("code", ["ABCD", "abcde", "abc-"])
def test_a_code_that_only_looks_alike_is_another(code: str) -> None:
    DirectLinkFactory(code="abcd")
    with pytest.raises(NotYourLink):
        find_direct_link(code)


def test_a_revoked_link_is_found_no_more() -> None:
    link = DirectLinkFactory()
    revoke_direct_link(link, user=None, now=NOW)
    with pytest.raises(NotYourLink):
        find_direct_link(link.code)


@pytest.mark.parametrize("may_lag", [False, True])
def test_it_is_read_where_it_is_written_unless_it_may_lag(
    may_lag: bool, settings: Settings
) -> None:
    link = DirectLinkFactory()
    settings.DATABASE_ROUTERS = [Replicas()]
    if may_lag:
        with pytest.raises(ConnectionDoesNotExist):
            find_direct_link(link.code, may_lag=True)
    else:
        assert find_direct_link(link.code) == link
