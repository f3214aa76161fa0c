"""The links that somebody may manage, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.connection import ConnectionDoesNotExist
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from directlinks.core import uris
from directlinks.core.errors import ErrorCode, InvalidParameters, NotYourLink
from directlinks.core.links import LinkState
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink
from directlinks.policies import OwnerOrAdmin
from directlinks.services.listing import (
    ORDERS,
    LinkFilters,
    Order,
    Page,
    get_direct_link,
    list_direct_links,
)
from directlinks.services.revoking import revoke_direct_link
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.services.replicas import Replicas

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
HOUR = timedelta(hours=1)
# Newest first is the default; these tests read better in the order in which things were made.
OLDEST_FIRST = Order(descending=False)


def page(
    user: Any,
    *,
    order: Order = OLDEST_FIRST,
    size: int = 100,
    token: str | None = None,
    **filters: Any,
) -> Page:
    if "uri" in filters:
        filters["uri"] = uris.parse(filters["uri"])
    return list_direct_links(
        user=user,
        policy=OwnerOrAdmin(),
        filters=LinkFilters(**filters),
        order=order,
        size=size,
        token=token,
        now=NOW,
    )


def pages(user: Any, order: Order, size: int) -> Iterator[list[DirectLink]]:
    """One page after the other, as a client reads them."""
    token = None
    while True:
        found = page(user, order=order, size=size, token=token)
        yield found.links
        token = found.next_token
        if token is None:
            return


class TestWhose:
    def test_an_owner_sees_the_links_of_own_files_and_staff_those_of_all(self) -> None:
        link, foreign = DirectLinkFactory(), DirectLinkFactory()
        assert page(link.file.owner).links == [link]
        assert page(UserFactory(is_staff=True)).links == [link, foreign]
        assert page(UserFactory()).links == []

    def test_it_is_one_statement_with_all_that_a_link_is_judged_by(
        self, django_assert_num_queries: Any
    ) -> None:
        file = FileFactory()
        DirectLinkFactory.create_batch(5, file=file)
        with django_assert_num_queries(1):
            found = page(file.owner, uri="cloudreve://my/", state=LinkState.ACTIVE)
            assert [link.state(NOW) for link in found.links] == [LinkState.ACTIVE] * 5


class TestWhich:
    def test_those_that_were_revoked_are_seen_by_those_who_ask_for_them(self) -> None:
        user = UserFactory()
        standing = DirectLinkFactory(file__owner=user)
        revoked = DirectLinkFactory(file__owner=user, revoked_at=NOW)
        assert page(user).links == [standing]
        assert page(user, state=LinkState.REVOKED).links == [revoked]

    def test_a_state_is_that_of_now(self) -> None:
        user = UserFactory()
        DirectLinkFactory(file__owner=user, expires_at=NOW + HOUR)
        expired = DirectLinkFactory(file__owner=user, expires_at=NOW)
        assert page(user, state=LinkState.EXPIRED).links == [expired]

    @pytest.mark.parametrize(
        ("label", "found"), [("press", True), ("PRESS", True), ("", True), ("100%", False)]
    )
    def test_a_part_of_the_label_is_enough(self, label: str, found: bool) -> None:
        link = DirectLinkFactory(label="For the press, 100 copies")
        assert bool(page(link.file.owner, label=label).links) is found

    def test_dates_are_a_half_open_span(self) -> None:
        user = UserFactory()
        links = DirectLinkFactory.create_batch(3, file__owner=user)
        for number, link in enumerate(links):
            DirectLink.objects.filter(pk=link.pk).update(created_at=NOW + number * HOUR)
        assert page(user, created_after=NOW + HOUR).links == links[1:]
        assert page(user, created_before=NOW + HOUR).links == links[:1]
        assert page(user, created_after=NOW + HOUR, created_before=NOW + 2 * HOUR).links == [
            links[1]
        ]

    @pytest.mark.parametrize(
        ("uri", "expected"),
        [
            ("cloudreve://my/", ["a", "A/b", "a.txt", "a/b", "a/b/c", "a0"]),
            ("cloudreve://my", ["a", "A/b", "a.txt", "a/b", "a/b/c", "a0"]),
            ("cloudreve://my/a", ["a", "a/b", "a/b/c"]),
            ("cloudreve://my/a/", ["a", "a/b", "a/b/c"]),
            ("cloudreve://my/a/b", ["a/b", "a/b/c"]),
            ("cloudreve://my/a.txt", ["a.txt"]),
            ("cloudreve://my/A", ["A/b"]),
            ("cloudreve://my/a%25", []),
            ("cloudreve://my/_", []),
            ("cloudreve://my/a%00", []),
            ("cloudreve://my/" + "a" * 1025, []),
            ("cloudreve://trash/a", []),
            ("cloudreve://other/a", []),
            ("cloudreve://0@my/a", []),
            ("cloudreve://01@my/a", []),
        ],
    )
    def test_a_uri_is_a_file_a_folder_or_all(self, uri: str, expected: list[str]) -> None:
        owner = UserFactory()
        for path in ("a", "A/b", "a.txt", "a/b", "a/b/c", "a0"):
            DirectLinkFactory(file=FileFactory(owner=owner, path=path))
        DirectLinkFactory(file__path="a")
        assert [link.file.path for link in page(owner, uri=uri).links] == expected

    def test_staff_name_the_owner(self) -> None:
        link, _ = DirectLinkFactory(file__path="a"), DirectLinkFactory(file__path="a")
        staff = UserFactory(is_staff=True)
        owner = link.file.owner
        assert page(staff, uri=f"cloudreve://{owner.pk}@my/").links == [link]
        assert page(owner, uri=f"cloudreve://{owner.pk}@my/a").links == [link]
        assert page(staff, uri="cloudreve://my/").links == []

    def test_a_file_in_the_trash_is_found_where_it_was(self) -> None:
        link = DirectLinkFactory(file__path="a/b")
        link.file.trash()
        assert page(link.file.owner, uri="cloudreve://my/a/b").links == [link]
        assert page(link.file.owner, uri="cloudreve://my/a").links == [link]

    def test_long_paths_that_begin_alike_are_told_apart(self) -> None:
        owner = UserFactory()
        paths = ["x/" * 20 + "é" * 120 + "/" + "é" * 120 + last for last in "ab"]
        links = [DirectLinkFactory(file__owner=owner, file__path=path) for path in paths]
        assert page(owner, uri=uris.file_url(paths[0])).links == links[:1]


@st.composite
def uses(draw: st.DrawFn) -> dict[str, Any]:
    """What links are ordered by, with many that are the same and some that have none."""
    moments = st.sampled_from([NOW, NOW + HOUR, NOW + 2 * HOUR])
    return {
        "name": draw(st.sampled_from(["a", "B", "é", "a b"])),
        "downloads": draw(st.integers(0, 2)),
        "last_opened_at": draw(st.none() | moments),
        "expires_at": draw(st.none() | moments),
    }


class TestPages:
    @settings(max_examples=examples(40))
    @given(
        given_uses=st.lists(uses(), max_size=9),
        by=st.sampled_from(sorted(ORDERS)),
        descending=st.booleans(),
        size=st.integers(1, 4),
    )
    def test_they_hold_each_link_once_and_in_order(
        self, given_uses: list[dict[str, Any]], by: str, descending: bool, size: int
    ) -> None:
        file = FileFactory(content="")
        links = [DirectLinkFactory(file=file, **use) for use in given_uses]
        found = list(pages(file.owner, Order(by, descending), size))
        assert all(len(links_) == size for links_ in found[:-1])
        flat = [link for links_ in found for link in links_]
        column = ORDERS[by]
        valued = [link for link in links if getattr(link, column) is not None]
        expected = sorted(
            valued, key=lambda link: (getattr(link, column), link.pk), reverse=descending
        )
        without = [link for link in links if getattr(link, column) is None]
        assert flat == expected + (without[::-1] if descending else without)

    def test_what_comes_and_goes_meanwhile_neither_repeats_nor_hides_a_link(self) -> None:
        file = FileFactory()
        links = DirectLinkFactory.create_batch(4, file=file)
        newest_first = Order()
        first = page(file.owner, order=newest_first, size=2)
        assert first.links == [links[3], links[2]]
        DirectLinkFactory(file=file)
        links[2].delete()
        second = page(file.owner, order=newest_first, size=2, token=first.next_token)
        assert (second.links, second.next_token) == ([links[1], links[0]], None)

    def test_a_token_tells_nothing_to_another(self) -> None:
        file = FileFactory()
        DirectLinkFactory.create_batch(2, file=file)
        token = page(file.owner, size=1).next_token
        assert page(UserFactory(), size=1, token=token).links == []

    @pytest.mark.parametrize("token", ["", "x", "x:y", "é\0", "a" * 5000])
    def test_a_token_that_was_made_up_is_refused(self, token: str) -> None:
        with pytest.raises(InvalidParameters, match="next_token"):
            page(UserFactory(), token=token)

    @pytest.mark.parametrize("order", [Order(), Order("name", descending=False)])
    def test_a_token_of_another_order_is_refused(self, order: Order) -> None:
        file = FileFactory()
        DirectLinkFactory.create_batch(2, file=file)
        token = page(file.owner, size=1).next_token
        with pytest.raises(InvalidParameters, match="another order"):
            page(file.owner, order=order, token=token)


@pytest.mark.parametrize("code", ["", "abc", "a" * 65, "ab/d", "abcd\n", "äbcd", "ab d", "abc\x00"])
def test_what_is_no_code_is_a_fault_of_the_request(
    code: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0), pytest.raises(InvalidParameters) as caught:
        get_direct_link(code)
    assert (caught.value.code, caught.value.msg) == (
        ErrorCode.INVALID_PARAMETERS,
        "Failed to parse object ID",
    )


def test_a_link_is_found_with_its_file(django_assert_num_queries: Any) -> None:
    link = DirectLinkFactory()
    with django_assert_num_queries(1):
        found = get_direct_link(link.code)
        assert (found, found.file) == (link, link.file)


@pytest.mark.parametrize(
    "limit", [{"paused": True}, {"expires_at": NOW}, {"max_downloads": 0}, {"not_before": NOW}]
)
def test_a_link_that_does_not_open_is_found_all_the_same(limit: dict[str, Any]) -> None:
    link = DirectLinkFactory(**limit)
    assert get_direct_link(link.code) == link


@pytest.mark.parametrize("code", ["ABCD", "abcde", "abc-"])
def test_a_code_that_only_looks_alike_is_another(code: str) -> None:
    DirectLinkFactory(code="abcd")
    with pytest.raises(NotYourLink):
        get_direct_link(code)


def test_a_revoked_link_is_found_no_more() -> None:
    link = DirectLinkFactory()
    revoke_direct_link(link, user=None, now=NOW)
    with pytest.raises(NotYourLink):
        get_direct_link(link.code)


@pytest.mark.parametrize("may_lag", [False, True])
def test_it_is_read_where_it_is_written_unless_it_may_lag(
    may_lag: bool, settings: Settings
) -> None:
    link = DirectLinkFactory()
    settings.DATABASE_ROUTERS = [Replicas()]
    if may_lag:
        with pytest.raises(ConnectionDoesNotExist):
            get_direct_link(link.code, may_lag=True)
    else:
        assert get_direct_link(link.code) == link
