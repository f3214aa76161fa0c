"""What an address below the prefix of links asks for."""

from hypothesis import given
from hypothesis import strategies as st

from directlinks.core import codes
from directlinks.serving.routes import (
    Kind,
    Route,
    link_at,
    parse,
    ticket_at,
)

segments = st.sampled_from(
    ["d", "t", "abcd", "a-_Z9", "abc", "a b.txt", "新", "a\0b", "", "x" * 65]
)


@given(st.lists(segments | st.text(max_size=6), max_size=4).map("/".join))
def test_the_short_way_finds_the_links_that_the_long_one_finds(rest: str) -> None:
    route, found = parse(rest), link_at(rest)
    is_plain = set("\0/").isdisjoint(route.name)
    is_link = route.kind in (Kind.OPEN, Kind.DOWNLOAD) and codes.is_well_formed(route.secret)
    assert found == ((route.attachment, route.secret, route.name) if is_link and is_plain else None)
    is_ticket = route.kind is Kind.CONTENT and is_plain
    assert ticket_at(rest) == ((route.secret, route.name) if is_ticket else None)


def test_each_kind_has_its_shape() -> None:
    assert parse("abcd/a.txt") == Route(Kind.OPEN, "abcd", "a.txt")
    assert parse("d/abcd/a.txt") == Route(Kind.DOWNLOAD, "abcd", "a.txt")
    assert parse("t/1.ig.2.x/a.txt") == Route(Kind.CONTENT, "1.ig.2.x", "a.txt")
    assert parse("abcd") == parse("abcd/") == parse("a/b/c/d") == Route(Kind.UNKNOWN)
